// Waiting for the thing itself: a test that needs something to have happened asks until it has, on whatever machine.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sql } from 'postgres'

/** Asks until the answer is true. The deadline is for what never happens. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, seconds = 120): Promise<void> {
  const deadline = Date.now() + seconds * 1_000
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`Waited ${seconds} s: ${what}.`)
    await sleep(5)
  }
}

/** Until a statement in the database of `sql` waits for a lock that another holds. */
export const untilLocked = (sql: Sql): Promise<void> =>
  until('no statement waits for a lock', async () => {
    const [row] = await sql`select exists (select from pg_stat_activity
      where datname = current_database() and state = 'active' and wait_event_type = 'Lock') as found`
    return row!.found
  })

/** Until a statement in the database of `sql` sleeps. */
export const untilAsleep = (sql: Sql): Promise<void> =>
  until('no statement sleeps', async () => {
    const [row] = await sql`select exists (select from pg_stat_activity
      where datname = current_database() and state = 'active' and wait_event = 'PgSleep') as found`
    return row!.found
  })

/** Until the clients of that name have sent something, and nothing more for so many milliseconds. */
export const untilQuiet = (sql: Sql, name: string, milliseconds = 200): Promise<void> =>
  until(`${name} does not come to rest`, async () => {
    const [row] = await sql`select count(*) > 0
        and bool_and(state like 'idle%' and state_change < clock_timestamp() - make_interval(secs => ${milliseconds / 1_000})) as quiet
      from pg_stat_activity where datname = current_database() and application_name = ${name}`
    return row!.quiet
  })

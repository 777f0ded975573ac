import { beforeAll, describe, expect, test } from 'vitest'
import { type CustomAttributesStore, createCustomAttributesStore } from '../../src/index.js'
import { useDatabase } from '../support/database.js'
import { samples } from '../support/law.js'

const db = useDatabase()
const account = '00000000-0000-4000-8000-000000000001'
let store: CustomAttributesStore

beforeAll(async () => {
  store = createCustomAttributesStore(db.client)
  const rows = Array.from(
    { length: 250 },
    (_, at) => `c${at}@x.com,Name${at},${at % 5 === 0 ? '' : 'gold'},${at % 2 ? 'pro' : 'free'}`,
  )
  await store.uploadCsv(account, `email,first_name,tier,plan\n${rows.join('\n')}`)
})

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const result of results) list.push(result)
  return list
}

describe('mailMerge', () => {
  test('yields every customer of the audience once, in id order, with the rendered template', async () => {
    const results = await collect(
      store.mailMerge(account, 'Hi {{first_name}}, {{tier | default: "no tier"}}', {
        audience: 'all',
        pageSize: 40,
        format: 'text',
      }),
    )
    expect(results).toHaveLength(250)
    expect(new Set(results.map(({ customer }) => customer.id)).size).toBe(250)
    expect(results.map(({ customer }) => customer.id)).toEqual(results.map(({ customer }) => customer.id).sort())
    for (const result of results) {
      const { first_name, custom_attributes } = result.customer
      expect(result).toMatchObject({ ok: true, content: `Hi ${first_name}, ${custom_attributes.tier ?? 'no tier'}` })
    }
  })

  test('a message of parts: each in its format', async () => {
    await store.upsertCustomer(account, { email: 'odd@x.com', first_name: "O'Brien & <x>" })
    const message = { subject: 'For {{first_name}}', html: '<p>{{first_name}}</p>', text: '{{first_name}}!' }
    const [result] = await collect(store.mailMerge(account, message, { audience: { emails: ['odd@x.com'] } }))
    expect(result).toMatchObject({
      ok: true,
      content: { subject: "For O'Brien & <x>", html: '<p>O&#39;Brien &amp; &lt;x&gt;</p>', text: "O'Brien & <x>!" },
    })
  })

  test("under missing: 'error' a customer with a hole is told and the run goes on", async () => {
    const results = await collect(
      store.mailMerge(
        account,
        { subject: '{{tier}}', text: '{{tier}} {{plan}} {{city}}' },
        {
          audience: { where: { plan: 'free' } },
          missing: 'error',
        },
      ),
    )
    expect(results).toHaveLength(125)
    for (const result of results) {
      expect(result.ok).toBe(false)
      if (!result.ok)
        expect(result.missing).toEqual(result.customer.custom_attributes.tier ? ['city'] : ['tier', 'city'])
    }
  })

  test('extra tags of each customer; progress; where with several values', async () => {
    const told: number[] = []
    const results = await collect(
      store.mailMerge(account, '{{unsubscribe_url}}', {
        audience: { where: { plan: ['pro', 'free'], tier: 'gold' } },
        format: 'text',
        extraTags: ({ email }) => ({ unsubscribe_url: `https://x.com/u/${email}` }),
        onProgress: ({ customers }) => told.push(customers),
      }),
    )
    expect(results).toHaveLength(200)
    for (const result of results) expect(result).toMatchObject({ content: `https://x.com/u/${result.customer.email}` })
    expect(told.at(-1)).toBe(200)
  })

  test('resuming after a customer continues without repeat or gap', async () => {
    const all = await collect(store.mailMerge(account, '{{email}}', { audience: 'all', pageSize: 30 }))
    const seen: string[] = []
    let after: string | undefined
    while (true) {
      let taken = 0
      for await (const { customer } of store.mailMerge(account, '{{email}}', { audience: 'all', pageSize: 7, after })) {
        seen.push(customer.id)
        after = customer.id
        if (++taken === 23) break
      }
      if (taken < 23) break
    }
    expect(seen).toEqual(all.map(({ customer }) => customer.id))
  })

  test('with 10,000 stable customers and others that come and go, each stable one comes exactly once', async () => {
    const busy = '00000000-0000-4000-8000-000000000002'
    const rows = Array.from({ length: 10_000 }, (_, at) => `stable${at}@x.com`)
    await store.uploadCsv(busy, `email\n${rows.join('\n')}`)
    const seen: string[] = []
    let step = 0
    for await (const { customer } of store.mailMerge(busy, 'x', { audience: 'all', pageSize: 500 })) {
      seen.push(customer.email)
      if (++step % 200 === 0) {
        await store.upsertCustomer(busy, { email: `new${step}@x.com` })
        await store.upsertCustomer(busy, { email: `stable${step % 10_000}@x.com`, first_name: `changed${step}` })
        await db.sql`delete from customer.customer where account_id = ${busy} and email = ${`new${step - 400}@x.com`}`
      }
    }
    const stable = seen.filter((email) => email.startsWith('stable'))
    expect(stable).toHaveLength(10_000)
    expect(new Set(stable).size).toBe(10_000)
  })

  test('a consumer that stops early frees the connection', async () => {
    const single = createCustomAttributesStore(db.connect({ max: 1 }))
    for await (const _ of single.mailMerge(account, 'x', { audience: 'all', pageSize: 10 })) break
    expect(await single.getCustomer(account, 'c1@x.com')).toMatchObject({ first_name: 'Name1' })
  })

  test('the signal stops before the next message, on the last page too', async () => {
    const stop = new AbortController()
    let count = 0
    const run = (async () => {
      for await (const _ of store.mailMerge(account, 'x', {
        audience: { where: { plan: 'pro' } },
        signal: stop.signal,
      })) {
        if (++count === 10) stop.abort()
      }
    })()
    await expect(run).rejects.toMatchObject({ code: 'ABORTED' })
    expect(count).toBe(10)
  })

  test('extra tags that come as a promise are refused, not rendered empty', async () => {
    const extraTags = (async () => ({ link: 'x' })) as never
    const run = collect(store.mailMerge(account, '{{link}}', { audience: 'all', extraTags }))
    await expect(run).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('where finds names as a template does: the exact spelling first', async () => {
    const own = '00000000-0000-4000-8000-000000000003'
    const columns = { email: { field: 'email' }, 'First Name': { attribute: 'First Name' } } as const
    await store.uploadCsv(own, 'email,First Name\na@x.com,Ann\n', { columns })
    const results = await collect(store.mailMerge(own, 'x', { audience: { where: { 'First Name': 'Ann' } } }))
    expect(results).toHaveLength(1)
  })

  test('the signal stops between pages', async () => {
    const stop = new AbortController()
    const run = collect(
      (async function* () {
        for await (const result of store.mailMerge(account, 'x', {
          audience: 'all',
          pageSize: 10,
          signal: stop.signal,
        })) {
          stop.abort()
          yield result
        }
      })(),
    )
    await expect(run).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('the backend killed between any two pages ends it with an error, never early', async () => {
    const client = db.connect({ max: 1, backoff: () => 0.001, connection: { application_name: 'merge' } })
    const killed = createCustomAttributesStore(client)
    await killed.getMergeTags(account)
    for (let round = 0; round < samples(100, 8); round++) {
      let count = 0
      const outcome = await (async () => {
        for await (const _ of killed.mailMerge(account, 'x', { audience: 'all', pageSize: 10 })) {
          if (++count === 1 + (round % 25) * 10) {
            await db.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'merge'
              and datname = current_database()`
          }
        }
        return 'complete'
      })().catch((error) => error.code)
      // Either the loss fell between two statements and the client connected anew, or it is told.
      if (outcome === 'complete') expect(count).toBe(251)
      else expect(outcome).toBe('CONNECTION_LOST')
    }
  })

  test('what is wrong is said before anything is read', async () => {
    const run = (message: never, options: never) => collect(store.mailMerge(account, message, options))
    await expect(run('{{#a}}' as never, { audience: 'all' } as never)).rejects.toMatchObject({
      code: 'UNCLOSED_SECTION',
    })
    await expect(run({ html: '{{>x}}' } as never, { audience: 'all' } as never)).rejects.toMatchObject({
      code: 'UNSUPPORTED_TAG',
      details: { part: 'html' },
    })
    await expect(run('x' as never, {} as never)).rejects.toMatchObject({ code: 'INVALID_AUDIENCE' })
    await expect(run('x' as never, { audience: { where: { nope: 1 } } } as never)).rejects.toMatchObject({
      code: 'INVALID_AUDIENCE',
    })
    await expect(run('x' as never, { audience: { where: { tier: undefined } } } as never)).rejects.toMatchObject({
      code: 'INVALID_AUDIENCE',
    })
    await expect(run({} as never, { audience: 'all' } as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(run({ body: 'x' } as never, { audience: 'all' } as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
    await expect(run('x' as never, { audience: 'all', pagesize: 1 } as never)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    })
  })
})

describe('preflight', () => {
  test('without a recipient it does not call unknown what a function of extraTags might give', async () => {
    const none = { audience: { emails: ['nobody@example.com'] } } as const
    const message = '{{unsubscribe_url}}'
    const asked = await store.preflight(account, message, { ...none, extraTags: () => ({ unsubscribe_url: 'x' }) })
    expect(asked).toMatchObject({ recipients: 0, unknownTags: [] })
    const plain = await store.preflight(account, message, none)
    expect(plain.unknownTags).toMatchObject([{ code: 'UNKNOWN_TAG' }])
  })

  test('counts recipients, and per tag who would get a hole; names unknown tags with a suggestion', async () => {
    const report = await store.preflight(
      account,
      {
        subject: '{{frist_name}}',
        html: '{{tier}} {{plan | default: "?"}} {{#tier}}{{city}}{{/tier}} {{unsubscribe_url}}',
      },
      { audience: { where: { plan: ['free', 'pro'] } }, extraTags: { unsubscribe_url: 'https://x.com' } },
    )
    expect(report).toMatchObject({
      recipients: 250,
      complete: 0,
      tags: [
        { name: 'frist_name', missing: 250 },
        { name: 'tier', missing: 50 },
        { name: 'plan', missing: 0 },
        { name: 'city', missing: 200 },
        { name: 'unsubscribe_url', missing: 0 },
      ],
    })
    expect(report.unknownTags).toMatchObject([
      { code: 'UNKNOWN_TAG', part: 'subject', details: { suggestion: 'first_name', line: 1 } },
    ])
  })

  test('agrees with what mailMerge yields', async () => {
    const message = 'Hi {{first_name}} {{tier}}'
    const audience = { where: { plan: 'pro' } } as const
    const report = await store.preflight(account, message, { audience })
    const results = await collect(store.mailMerge(account, message, { audience, missing: 'error' }))
    expect(report.recipients).toBe(results.length)
    expect(report.complete).toBe(results.filter(({ ok }) => ok).length)
  })
})

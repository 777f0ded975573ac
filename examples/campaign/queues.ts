/** The queues of a campaign: parts of the audience to read, customers to write to, and what failed for the last time. */
import type PgBoss from 'pg-boss'

export const PART = 'campaign-part'
export const DELIVER = 'campaign-deliver'
export const UNDELIVERED = 'campaign-undelivered'

export interface PartJob {
  campaignId: string
  index: number
}

export interface DeliverJob {
  campaignId: string
  customerId: string
}

export interface QueueSettings {
  /** seconds after which a job that nobody finished goes to another worker */
  lease: number
  /** tries after the first one, before a job is given up; a worker's death costs one also */
  retries: number
  /** seconds before the second try; doubled for each that follows */
  retryDelay: number
}

/** Makes the queues, or sets them anew. */
export async function createQueues(boss: PgBoss, { lease, retries, retryDelay }: QueueSettings): Promise<void> {
  await boss.createQueue(UNDELIVERED)
  for (const name of [PART, DELIVER]) {
    const options = {
      name,
      deadLetter: UNDELIVERED,
      expireInSeconds: lease,
      retryLimit: retries,
      retryDelay,
      retryBackoff: true,
    }
    await boss.createQueue(name, options)
    await boss.updateQueue(name, options)
  }
}

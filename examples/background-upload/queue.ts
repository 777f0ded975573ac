/** The queue of uploads, and that of those which were given up. */
import type PgBoss from 'pg-boss'

export const UPLOAD = 'upload'
export const GIVEN_UP = 'upload-given-up'

export interface UploadJob {
  uploadId: string
}

export interface QueueSettings {
  /** seconds without a sign of life after which an upload goes to another worker */
  lease: number
  /** tries after the first one, before an upload is given up; a worker's death costs one also */
  retries: number
  /** seconds before the second try; doubled for each that follows */
  retryDelay: number
}

/** Makes the queues, or sets them anew. */
export async function createQueues(boss: PgBoss, { lease, retries, retryDelay }: QueueSettings): Promise<void> {
  const options = {
    name: UPLOAD,
    deadLetter: GIVEN_UP,
    expireInSeconds: lease,
    retryLimit: retries,
    retryDelay,
    retryBackoff: true,
  }
  await boss.createQueue(GIVEN_UP)
  await boss.createQueue(UPLOAD, options)
  await boss.updateQueue(UPLOAD, options)
}

/** The settings of server and workers alike: what a job is given when it is queued, it keeps. */
export const queueSettings = (env: NodeJS.ProcessEnv): QueueSettings => ({
  lease: Number(env.LEASE_SECONDS ?? 30),
  retries: Number(env.RETRIES ?? 10),
  retryDelay: Number(env.RETRY_SECONDS ?? 10),
})

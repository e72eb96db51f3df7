import { setTimeout as sleep } from 'node:timers/promises'

/** How long an answer waits for files to be removed: a store may be slow or silent, and what is left goes later. */
const removalWaitMs = 2_000

/** Waits for a work for a while only; it goes on by itself. */
export async function forAWhile(work: Promise<unknown>, failed: (error: unknown) => void): Promise<void> {
  const stop = new AbortController()
  const ended = work.catch(failed).finally(() => stop.abort())
  await Promise.race([ended, sleep(removalWaitMs, undefined, { signal: stop.signal }).catch(() => {})])
}

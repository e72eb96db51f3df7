import { setTimeout as sleep } from 'node:timers/promises'
import { UnusableStore } from '../file-store.ts'
import { faultOf } from './s3-fault.ts'

const firstPauseMs = 250
const pauseMsMax = 5_000

/** How long an export waits for a store that is away before its attempt fails; that begins again later. */
export const writePatienceMs = 60_000
/** How long a client's download waits, and what is asked for beside the way. */
export const readPatienceMs = 10_000

/** Whether it passes by itself. */
export const isAway = (error: unknown): error is UnusableStore =>
  error instanceof UnusableStore && error.trouble === 'away'

/**
 * Asks again and again while the store is away, with growing pauses.
 * @param onTrouble told each time that the store cannot be used
 * @param signal ends the wait, whatever the question itself waits for
 * @throws UnusableStore when it is away for longer than the patience lasts, or is in another trouble
 */
export async function patiently<T>(
  ask: () => Promise<T>,
  patienceMs: number,
  onTrouble: (fault: UnusableStore) => void,
  signal?: AbortSignal,
): Promise<T> {
  const began = performance.now()
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, pauseMsMax)) {
    try {
      return await (signal ? untilAborted(ask(), signal) : ask())
    } catch (error) {
      signal?.throwIfAborted()
      const fault = faultOf(error)
      if (fault instanceof UnusableStore) onTrouble(fault)
      if (!isAway(fault) || performance.now() - began > patienceMs) throw fault
    }
    // Whoever is woken by the signal finds its reason thrown.
    await sleep(pauseMs, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted())
  }
}

/** The credentials of a question may be asked for elsewhere, by requests that know of no signal. */
async function untilAborted<T>(asked: Promise<T>, signal: AbortSignal): Promise<T> {
  asked.catch(() => {})
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([asked, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

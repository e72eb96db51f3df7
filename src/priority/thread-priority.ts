import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'

/** How much later a thread or process comes than others where cores are few: with 5 others get three times as much of one, with 10 nine times. */
export const niceness = { request: 10, engine: 5, backend: 5 } as const

/**
 * Lets all other threads go before the calling one where cores are few. Only Linux has priorities for threads: elsewhere, and where the
 * system does not tell the thread's number, all stay equal.
 * @returns the number of the thread, if it could be done
 */
export function lowerOwnPriority(by: number): number | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
    setPriority(thread, by)
    return thread
  } catch {
    return undefined
  }
}

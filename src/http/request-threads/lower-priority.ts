import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'

/** Others of the process get about ten times as much of a core that both want. */
const niceness = 10

/**
 * Lets all other threads go before the calling one where cores are few. Only Linux has priorities for threads: elsewhere, and where the
 * system does not tell the thread's number, all stay equal.
 * @returns the number of the thread, if it could be done
 */
export function lowerOwnPriority(): number | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
    setPriority(thread, niceness)
    return thread
  } catch {
    return undefined
  }
}

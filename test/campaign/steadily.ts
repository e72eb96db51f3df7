import { setTimeout as pause } from 'node:timers/promises'
import { Failure } from '../../src/failure.ts'
import { isOutage } from '../../src/http/database-outage.ts'

const pauseMs = 250
const triesMsMax = 240_000

/** Does something as often as it takes until it succeeds: the database may still be coming back. */
export async function steadily<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + triesMsMax
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const passes = isOutage(error) || error instanceof Failure
      if (!passes || performance.now() > deadline) throw error
      await pause(pauseMs)
    }
  }
}

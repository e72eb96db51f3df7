import { setTimeout } from 'node:timers/promises'

/** Time and chance, handed in so that tests wait for nothing. */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Resolves after so many milliseconds; rejects when the signal fires. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
  /** A number from 0 to below 1. */
  readonly random: () => number
}

export const systemClock: Clock = {
  now: Date.now,
  pause: (ms, signal) => setTimeout(ms, undefined, { signal }),
  random: Math.random,
}

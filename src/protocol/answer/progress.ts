import { retryAfterSecondsMax, retryAfterSecondsMin } from '../limits.ts'

/** How far a job is: records written, records expected, seconds since it began. */
export interface Progress {
  readonly exported: number
  readonly planned: number
  readonly seconds: number
}

/** The part that is done, from 0 to 0.99: a job that is not complete is never shown as complete. */
export function fractionOf({ exported, planned }: Progress): number {
  return planned === 0 ? 0 : Math.min(0.99, exported / planned)
}

/** Seconds until the next poll makes sense: the time that remains at the rate so far, at most half of it to stay honest. */
export function retryAfterSeconds(progress: Progress): number {
  const fraction = fractionOf(progress)
  const remaining = fraction === 0 ? 2 * progress.seconds : (progress.seconds / fraction) * (1 - fraction)
  return Math.min(retryAfterSecondsMax, Math.max(retryAfterSecondsMin, Math.ceil(remaining / 2)))
}

/** Text for `X-Progress`, shorter than 100 characters (P3). */
export function progressText(progress: Progress): string {
  return `${Math.floor(fractionOf(progress) * 100)}% (${progress.exported} of about ${progress.planned} records)`
}

import { dawn, dusk, spanOf } from '../../filter/match/span.ts'

/**
 * Whether a Period holds a moment. Both ends belong to it, in the precision that they are written in: one that ends on `2021-01-01` holds
 * all of that day (R4 Period). A date without a zone is in UTC, as in searches.
 * @param atNs nanoseconds since 1970
 * @returns undefined when it is no Period: without both ends, with an end that is no date, or with the end before the start
 */
export function periodHolds(period: unknown, atNs: bigint): boolean | undefined {
  if (typeof period !== 'object' || period === null || Array.isArray(period)) return undefined
  const { start, end } = period as { readonly start?: unknown; readonly end?: unknown }
  if (start === undefined && end === undefined) return undefined
  const from = start === undefined ? dawn : dateSpan(start)?.from
  const to = end === undefined ? dusk : dateSpan(end)?.to
  if (from === undefined || to === undefined || from >= to) return undefined
  return from <= atNs && atNs < to
}

const dateSpan = (date: unknown) => (typeof date === 'string' ? spanOf(date) : undefined)

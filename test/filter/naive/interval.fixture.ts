/** An interval of the number line: milliseconds, or a number scaled to an integer. Infinite ends are open. */
export interface Interval {
  readonly low: number | bigint
  readonly high: number | bigint
  /** Whether the ends belong to it. */
  readonly lowIn: boolean
  readonly highIn: boolean
}

const times = new Map<string, Interval | undefined>()

/** The time a date stands for. Fractions down to milliseconds. */
export function timeOf(text: string): Interval | undefined {
  if (!times.has(text)) times.set(text, readTime(text))
  return times.get(text)
}

function readTime(text: string): Interval | undefined {
  const [date = '', clock] = text.split('T')
  const fields = date.split('-').map(Number)
  const [year = 0, month, day] = fields
  if (!/^\d{4}(-\d\d){0,2}$/.test(date) || year === 0 || (month ?? 1) > 12 || month === 0) return undefined
  const start = new Date(Date.UTC(2000, (month ?? 1) - 1, day ?? 1))
  start.setUTCFullYear(year, (month ?? 1) - 1, day ?? 1)
  if (day !== undefined && start.getUTCDate() !== day) return undefined
  const end = new Date(start)
  if (month === undefined) end.setUTCFullYear(year + 1)
  else if (day === undefined) end.setUTCMonth(month)
  else end.setUTCDate(day + 1)
  return clock === undefined ? halfOpen(start.getTime(), end.getTime()) : clockOf(start.getTime(), clock)
}

function clockOf(midnight: number, clock: string): Interval | undefined {
  const [, time = '', zone = ''] = /^([\d:.]+)(Z|[+-]\d\d:\d\d)?$/.exec(clock) ?? []
  const [hour, minute, second = '0'] = time.split(':')
  if (hour === undefined || minute === undefined) return undefined
  const offset =
    zone === '' || zone === 'Z' ? 0 : Number(`${zone[0]}1`) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4)))
  const [whole, fraction = ''] = second.split('.')
  const ms = Number(fraction.padEnd(3, '0'))
  const start = midnight + Number(hour) * 3_600_000 + (Number(minute) - offset) * 60_000 + Number(whole) * 1000 + ms
  const width = time.split(':').length === 2 ? 60_000 : 10 ** (3 - fraction.length)
  return halfOpen(start, start + width)
}

export const halfOpen = (low: number | bigint, high: number | bigint): Interval => ({
  low,
  high,
  lowIn: true,
  highIn: false,
})
export const point = (at: number | bigint): Interval => ({ low: at, high: at, lowIn: true, highIn: true })

const ascending = (a: number | bigint, b: number | bigint): number => (a < b ? -1 : a > b ? 1 : 0)

function overlap(a: Interval, b: Interval): boolean {
  const low = [a.low, b.low].sort(ascending)[1]!
  const high = [a.high, b.high].sort(ascending)[0]!
  // Two that only touch overlap when both have the common point.
  return low < high || (low === high && has(a, low) && has(b, low))
}

const has = (a: Interval, x: number | bigint): boolean =>
  (a.low < x || (a.low === x && a.lowIn)) && (a.high > x || (a.high === x && a.highIn))
const above = (s: Interval): Interval => ({
  low: s.high,
  high: Number.POSITIVE_INFINITY,
  lowIn: !s.highIn,
  highIn: true,
})
const below = (s: Interval): Interval => ({ low: Number.NEGATIVE_INFINITY, high: s.low, lowIn: true, highIn: !s.lowIn })
const contains = (s: Interval, t: Interval): boolean =>
  (s.low < t.low || (s.low === t.low && (s.lowIn || !t.lowIn))) &&
  (s.high > t.high || (s.high === t.high && (s.highIn || !t.highIn)))

/** The comparison of a prefix between the interval of a search and that of a resource, in the words of search-params §5. */
export function compares(prefix: string, s: Interval, t: Interval, near: Interval): boolean {
  switch (prefix) {
    case 'eq':
      return contains(s, t)
    case 'ne':
      return !contains(s, t)
    case 'gt':
      return overlap(above(s), t)
    case 'lt':
      return overlap(below(s), t)
    case 'ge':
      return overlap(above(s), t) || overlap(s, t)
    case 'le':
      return overlap(below(s), t) || overlap(s, t)
    case 'sa':
      return !overlap(s, t) && contains(above(s), t)
    case 'eb':
      return !overlap(s, t) && contains(below(s), t)
    default:
      return overlap(near, t)
  }
}

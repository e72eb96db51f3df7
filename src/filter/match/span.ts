/** A stretch of time from an instant up to but not including another, in nanoseconds since 1970. */
export interface Span {
  readonly from: bigint
  readonly to: bigint
}

const secondNs = 1_000_000_000n
const minuteMs = 60_000
const fractionDigitsMax = 9

/** Before and after every date that R4 can write: the open ends of a Period. */
export const dawn = -(10n ** 24n)
export const dusk = 10n ** 24n

const pattern =
  /^(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01])(?:T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d|60)(?:\.(\d+))?)?(Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))?)?)?)?$/

/**
 * The stretch of time that a date, dateTime or instant of any precision stands for; undefined when it is none.
 * Without a zone it is UTC, the zone of the server (R4 search, "date"). A leap second is the second after it.
 * Fractions are read to the nanosecond.
 */
export function spanOf(text: string): Span | undefined {
  if (text !== latest.text) latest = { text, span: readSpan(text) }
  return latest.span
}

/** The bounds of a range ask for the same date one after the other. */
let latest: { readonly text: string; readonly span: Span | undefined } = { text: '', span: undefined }

function readSpan(text: string): Span | undefined {
  const match = pattern.exec(text)
  if (!match || match[1] === '0000') return undefined
  const [, year, month, day, hour, minute, second, fraction, zone] = match
  if (month === undefined) return between(utcMs(Number(year), 0, 1), utcMs(Number(year) + 1, 0, 1))
  if (day === undefined)
    return between(utcMs(Number(year), Number(month) - 1, 1), utcMs(Number(year), Number(month), 1))
  if (Number(day) > 28 && Number(day) > daysOf(Number(year), Number(month))) return undefined
  const midnight = utcMs(Number(year), Number(month) - 1, Number(day))
  if (hour === undefined) return between(midnight, midnight + 24 * 60 * minuteMs)
  const start = midnight + (Number(hour) * 60 + Number(minute)) * minuteMs - offsetMs(zone)
  if (second === undefined) return between(start, start + minuteMs)
  const from = nanoseconds(start + Number(second) * 1000)
  return fraction === undefined ? { from, to: from + secondNs } : fractional(from, fraction)
}

function utcMs(year: number, month: number, day: number): number {
  // Date.UTC takes the years before 100 for others.
  return year < 100 ? new Date(0).setUTCFullYear(year, month, day) : Date.UTC(year, month, day)
}

/** The days of a month, from 1 for January. */
const daysOf = (year: number, month: number): number => new Date(utcMs(year, month, 0)).getUTCDate()

function offsetMs(zone = 'Z'): number {
  if (zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))
  return (zone[0] === '-' ? -minutes : minutes) * minuteMs
}

const nanoseconds = (ms: number): bigint => BigInt(ms) * 1_000_000n

const between = (fromMs: number, toMs: number): Span => ({ from: nanoseconds(fromMs), to: nanoseconds(toMs) })

/** What the last digit of a fraction of so many digits stands for. */
const steps = Array.from({ length: fractionDigitsMax + 1 }, (_, digits) => 10n ** BigInt(fractionDigitsMax - digits))

function fractional(second: bigint, fraction: string): Span {
  const digits = fraction.slice(0, fractionDigitsMax)
  const step = steps[digits.length]!
  const from = second + BigInt(digits) * step
  return { from, to: from + step }
}

/** A decimal as written, and what its digits imply. Every bound is the nearest double, as numbers of JSON are. */
export interface Decimal {
  readonly exact: number
  /** Half a unit of the last digit below and above (search-params §5): `[low, high)`. */
  readonly low: number
  readonly high: number
  /** A tenth of the value below and above, never less than half a unit of the last digit. */
  readonly nearLow: number
  readonly nearHigh: number
}

/** More digits than a double can tell apart; keeps the arithmetic small. */
const digitsMax = 40

const pattern = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/

/** Reads a decimal, in exponential form too; undefined when it is none. */
export function readDecimal(text: string): Decimal | undefined {
  const [match, sign, whole = '', fraction = '', power = '0'] = pattern.exec(text) ?? []
  if (match === undefined || whole.length + fraction.length > digitsMax) return undefined
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n)
  const exponent = Number(power) - fraction.length
  const tenths = (count: bigint): number => Number(`${count}e${exponent - 1}`)
  const exact = Number(`${digits}e${exponent}`)
  if (!Number.isFinite(exact)) return undefined
  const low = tenths(digits * 10n - 5n)
  const high = tenths(digits * 10n + 5n)
  const nearLow = Math.min(low, tenths(digits * 9n), tenths(digits * 11n))
  const nearHigh = Math.max(high, tenths(digits * 9n), tenths(digits * 11n))
  return { exact, low, high, nearLow, nearHigh }
}

import ucum from '@lhncbc/ucum-lhc'

const units = ucum.UcumLhcUtils.getInstance()
const known = new Map<string, string | undefined>()

/** More digits than the pools and the test data have, and fewer than floating point gets wrong. */
const digits = 12

/** A number in another unit, by the library of the National Library of Medicine; undefined when it knows no way. */
export function inUnit(value: string, from: string, to: string): string | undefined {
  if (from === to) return value
  // The library also takes names of units, which are no codes.
  if (/^[a-z]{6,}$/.test(from) || /^[a-z]{6,}$/.test(to)) return undefined
  const key = `${value} ${from} ${to}`
  if (!known.has(key)) {
    const { status, toVal } = units.convertUnitTo(from, Number(value), to)
    known.set(key, status === 'succeeded' && toVal !== null ? String(Number(toVal.toPrecision(digits))) : undefined)
  }
  return known.get(key)
}

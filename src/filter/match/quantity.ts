import { isObject } from '../../fhir/json/json-object.ts'
import type { Fault } from '../fault.ts'
import { type Prefix, prefixes, type QuantityValue } from '../query.ts'
import { cutUnescaped, unescaped } from '../query-text.ts'
import type { Datatype } from '../search-parameter.ts'
import { type Conversion, conversionsTo, ucumSystem } from '../ucum/conversion.ts'
import { cutPrefix } from './date.ts'
import { type Decimal, readDecimal } from './decimal.ts'
import type { Test } from './element.ts'

/** Reads a raw, still escaped value of a quantity parameter. */
export function readQuantity(raw: string): QuantityValue | Fault {
  const parts = cutUnescaped(raw, '|').map(unescaped)
  const { prefix, rest: number } = cutPrefix(parts[0]!)
  const [, system, code] = parts
  if (readDecimal(number) === undefined || parts.length === 2 || parts.length > 3 || (system === '' && code === '')) {
    return {
      fault: 'is not a quantity',
      allowed: `an optional prefix (${prefixes.join(', ')}) and number, number|system|code, number||code or number|system|`,
    }
  }
  return { kind: 'quantity', prefix, number, ...(system ? { system } : {}), ...(code ? { code } : {}) }
}

/** The values an element stands for: from low to high, both included unless open. */
interface Extent {
  readonly low: number
  readonly high: number
  readonly lowOpen: boolean
  readonly highOpen: boolean
}

/**
 * Tests an element against a quantity. `eq` and `ne` have the precision of the digits, `ap` a tenth of the value, the other
 * prefixes the exact number (R4 search, "number"). Numbers with a UCUM code are converted into the unit that is searched, so that the
 * precision is the one of the value that is searched; other units must be equal.
 */
export function quantityTest(value: QuantityValue, datatype: Datatype): Test {
  const holds = comparison(value.prefix, readDecimal(value.number)!)
  const unitOf = unitReader(value)
  const extentOf = datatype === 'Range' ? rangeExtent : datatype === 'SampledData' ? sampledExtent : quantityExtent
  return (element) => {
    const extent = isObject(element) ? extentOf(element, unitOf) : undefined
    return extent !== undefined && holds(extent)
  }
}

function comparison(prefix: Prefix, { exact, low, high, nearLow, nearHigh }: Decimal): (t: Extent) => boolean {
  const reaches = (t: Extent, bound: number) => t.high > bound || (t.high === bound && !t.highOpen)
  const begins = (t: Extent, bound: number) => t.low < bound || (t.low === bound && !t.lowOpen)
  // Numbers of so many digits that the bounds are the same double are compared as they are.
  const within = (t: Extent) =>
    (t.low >= low && (t.high < high || (t.high === high && t.highOpen))) || (t.low === exact && t.high === exact)
  switch (prefix) {
    case 'eq':
      return within
    case 'ne':
      return (t) => !within(t)
    case 'gt':
      return (t) => t.high > exact
    case 'lt':
      return (t) => t.low < exact
    case 'ge':
      return (t) => reaches(t, exact)
    case 'le':
      return (t) => begins(t, exact)
    case 'sa':
      return (t) => !begins(t, exact)
    case 'eb':
      return (t) => !reaches(t, exact)
    case 'ap':
      return (t) => reaches(t, nearLow) && begins(t, nearHigh)
  }
}

type Members = { readonly [name: string]: unknown }

/** How to take the number of a quantity into the unit that is searched; undefined when its unit is another. */
type UnitReader = (quantity: Members) => Conversion | undefined

const asItIs: Conversion = (value) => value

function unitReader({ system, code }: QuantityValue): UnitReader {
  if (code === undefined) return (quantity) => (system === undefined || quantity.system === system ? asItIs : undefined)
  if (system === undefined) return (quantity) => (quantity.code === code || quantity.unit === code ? asItIs : undefined)
  const conversions =
    system === ucumSystem ? conversionsTo(code) : (from: string) => (from === code ? asItIs : undefined)
  return (quantity) =>
    quantity.system === system && typeof quantity.code === 'string' ? conversions(quantity.code) : undefined
}

/** A comparator says on which side of its number the value lies: `<5` reaches up to 5, from nowhere. */
function quantityExtent(quantity: Members, unitOf: UnitReader): Extent | undefined {
  const { value: number, comparator } = quantity
  const conversion = typeof number === 'number' ? unitOf(quantity) : undefined
  if (typeof number !== 'number' || conversion === undefined) return undefined
  const value = conversion(number)
  const below = comparator === '<' || comparator === '<='
  const above = comparator === '>' || comparator === '>='
  return {
    low: below ? Number.NEGATIVE_INFINITY : value,
    high: above ? Number.POSITIVE_INFINITY : value,
    lowOpen: below || comparator === '>',
    highOpen: above || comparator === '<',
  }
}

/** A missing end is open. */
function rangeExtent(range: Members, unitOf: UnitReader): Extent | undefined {
  const ends = [range.low, range.high].map((end) => {
    if (!isObject(end) || typeof end.value !== 'number') return undefined
    return unitOf(end)?.(end.value) ?? 'another unit'
  })
  const [low, high] = ends
  if (low === 'another unit' || high === 'another unit' || (low === undefined && high === undefined)) return undefined
  return {
    low: low ?? Number.NEGATIVE_INFINITY,
    high: high ?? Number.POSITIVE_INFINITY,
    lowOpen: low === undefined,
    highOpen: high === undefined,
  }
}

/** From the least to the greatest sample (R4: "just search on the bounds of the values"). `L` and `U` stand for the limits of detection. */
function sampledExtent(sampled: Members, unitOf: UnitReader): Extent | undefined {
  const { origin, data, factor = 1, lowerLimit, upperLimit } = sampled
  if (!isObject(origin) || typeof origin.value !== 'number' || typeof factor !== 'number' || typeof data !== 'string') {
    return undefined
  }
  const conversion = unitOf(origin)
  if (conversion === undefined) return undefined
  const limits: Readonly<Record<string, number>> = {
    L: typeof lowerLimit === 'number' ? lowerLimit : Number.NEGATIVE_INFINITY,
    U: typeof upperLimit === 'number' ? upperLimit : Number.POSITIVE_INFINITY,
  }
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const sample of data.split(/\s+/)) {
    const number = Object.hasOwn(limits, sample) ? limits[sample]! : readDecimal(sample)?.exact
    if (number === undefined) continue
    const value = conversion(origin.value + number * factor)
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  return low > high ? undefined : { low, high, lowOpen: false, highOpen: false }
}

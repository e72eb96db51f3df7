import { type Fraction, fractionOf, inverse, minus, numberOf, plus, times } from './fraction.ts'
import { type Unit, unitOf } from './unit.ts'

/** The code system of UCUM in FHIR. */
export const ucumSystem = 'http://unitsofmeasure.org'

/** Takes a number in one unit to the number in another: exactly, and then to the nearest double. */
export type Conversion = (value: number) => number

/** Codes whose conversions are remembered, for one unit that is searched. */
const rememberedMax = 1_000

/**
 * Conversions of stored quantities into one unit, by their codes: undefined for units that measure something else. A code that is equal
 * needs none, so a unit that UCUM does not know equals itself.
 */
export function conversionsTo(code: string): (from: string) => Conversion | undefined {
  const target = unitOf(code)
  const remembered = new Map<string, Conversion | undefined>([[code, (value) => value]])
  return (from) => {
    if (remembered.has(from)) return remembered.get(from)
    const source = target && unitOf(from)
    const conversion = target && source && conversionBetween(source, target)
    if (remembered.size < rememberedMax) remembered.set(from, conversion)
    return conversion
  }
}

function conversionBetween(source: Unit, target: Unit): Conversion | undefined {
  if (!sameDimensions(source, target)) return undefined
  const factor = times(source.factor, inverse(target.factor))
  return (value) => {
    const exact = fractionOf(String(value))
    return exact === undefined ? value : numberOf(converted(exact, factor, source.zero, target.zero))
  }
}

function converted(value: Fraction, factor: Fraction, zero: Fraction | undefined, targetZero: Fraction | undefined) {
  const scaled = times(zero === undefined ? value : plus(value, zero), factor)
  return targetZero === undefined ? scaled : minus(scaled, targetZero)
}

const sameDimensions = (a: Unit, b: Unit): boolean =>
  a.dimensions.size === b.dimensions.size &&
  [...a.dimensions].every(([name, exponent]) => b.dimensions.get(name) === exponent)

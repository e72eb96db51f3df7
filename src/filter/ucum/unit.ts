import { ucumAtoms, ucumPrefixes } from './atoms.generated.ts'
import { type Fraction, fraction, fractionOf, inverse, power, times } from './fraction.ts'

/** A UCUM atom: a dimension of its own, or so many of another unit. */
export interface UcumAtom {
  /** It takes prefixes. */
  readonly metric?: true
  /** Absent: it can be converted to nothing else. */
  readonly definition?: {
    readonly value: string
    readonly unit: string
    /** What to add to a number first: the distance of the scale's zero from that of the unit. */
    readonly zero?: string
  }
}

/** A unit as so many of the product of its dimensions. */
export interface Unit {
  readonly factor: Fraction
  /** Exponents by dimension, none of them 0. */
  readonly dimensions: ReadonlyMap<string, number>
  /** As in an atom's definition: such a unit stands alone. */
  readonly zero?: Fraction
}

/** Characters of a code, exponents of 10 and of other units: they bound the arithmetic. */
export const unitCharsMax = 100
export const tenExponentMax = 99
export const unitExponentMax = 9

const one: Unit = { factor: fraction(1n), dimensions: new Map() }

/**
 * Reads a UCUM code (case sensitive), such as `mmol/L`, `10*9/L` or `mL/min/{1.73_m2}`. Annotations mean nothing.
 * Undefined for what is no UCUM code, what is beyond the bounds, and for a unit with a zero of its own among others (`Cel/min`).
 */
export function unitOf(code: string): Unit | undefined {
  if (code === '' || code.length > unitCharsMax) return undefined
  const reader = new UnitReader(code)
  const unit = reader.term()
  return reader.atEnd ? unit : undefined
}

const annotation = /\{[\x21-\x7a\x7c\x7e]*\}/y
/** A component up to its annotation or the next operator: what stands in brackets may hold operators. */
const component = /(?:[^\s./(){}[\]]|\[[\x21-\x5a\x5c\x5e-\x7e]*\])+/y

class UnitReader {
  readonly #code: string
  #at = 0

  constructor(code: string) {
    this.#code = code
  }

  get atEnd(): boolean {
    return this.#at === this.#code.length
  }

  /** Components, multiplied and divided from left to right. */
  term(): Unit | undefined {
    let product = this.#take('/') ? divided(one, this.#component()) : this.#component()
    for (;;) {
      if (this.#take('.')) product = multiplied(product, this.#component())
      else if (this.#take('/')) product = divided(product, this.#component())
      else return product
    }
  }

  #component(): Unit | undefined {
    if (this.#take('(')) {
      const inner = this.term()
      return this.#take(')') ? inner : undefined
    }
    const text = this.#match(component)
    const noted = this.#match(annotation)
    if (text === undefined) return noted === undefined ? undefined : one
    return componentOf(text)
  }

  #take(character: string): boolean {
    if (this.#code[this.#at] !== character) return false
    this.#at++
    return true
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#code)?.[0]
    this.#at += found?.length ?? 0
    return found
  }
}

/** A number, or a simple unit with its exponent. */
function componentOf(text: string): Unit | undefined {
  if (/^\d+$/.test(text)) return BigInt(text) === 0n ? undefined : { ...one, factor: fraction(BigInt(text)) }
  const [, symbol, digits = '1'] = /^(10[*^]|.*?[^\d+-])([+-]?\d{1,2})?$/.exec(text) ?? []
  const unit = symbol === undefined ? undefined : symbolUnit(symbol)
  const exponent = Number(digits)
  const most = symbol === '10*' || symbol === '10^' ? tenExponentMax : unitExponentMax
  if (unit === undefined || exponent === 0 || Math.abs(exponent) > most) return undefined
  return exponent === 1 ? unit : raised(unit, exponent)
}

/** An atom, or a metric one behind a prefix. */
function symbolUnit(symbol: string): Unit | undefined {
  const whole = atomOf(symbol)
  if (whole !== undefined) return atomUnit(symbol, whole)
  for (const length of [1, 2]) {
    const prefix = Object.hasOwn(ucumPrefixes, symbol.slice(0, length))
      ? ucumPrefixes[symbol.slice(0, length)]
      : undefined
    const atom = prefix === undefined ? undefined : atomOf(symbol.slice(length))
    if (prefix === undefined || !atom?.metric) continue
    const unit = atomUnit(symbol.slice(length), atom)
    return unit && prefixed(unit, fractionOf(prefix)!)
  }
  return undefined
}

const atomOf = (symbol: string): UcumAtom | undefined =>
  Object.hasOwn(ucumAtoms, symbol) ? ucumAtoms[symbol] : undefined

function atomUnit(symbol: string, { definition }: UcumAtom): Unit | undefined {
  if (definition === undefined) return { factor: fraction(1n), dimensions: new Map([[symbol, 1]]) }
  const unit = unitOf(definition.unit)
  if (unit === undefined) return undefined
  const zero = definition.zero === undefined ? {} : { zero: fractionOf(definition.zero)! }
  return { ...unit, factor: times(unit.factor, fractionOf(definition.value)!), ...zero }
}

/** A thousandth of a degree has its zero a thousand times as many units away. */
function prefixed(unit: Unit, prefix: Fraction): Unit {
  const zero = unit.zero && { zero: times(unit.zero, inverse(prefix)) }
  return { ...unit, factor: times(unit.factor, prefix), ...zero }
}

function multiplied(a: Unit | undefined, b: Unit | undefined): Unit | undefined {
  if (a === undefined || b === undefined || a.zero !== undefined || b.zero !== undefined) return undefined
  const dimensions = new Map(a.dimensions)
  for (const [name, exponent] of b.dimensions) {
    const sum = (dimensions.get(name) ?? 0) + exponent
    if (sum === 0) dimensions.delete(name)
    else dimensions.set(name, sum)
  }
  return { factor: times(a.factor, b.factor), dimensions }
}

const divided = (a: Unit | undefined, b: Unit | undefined): Unit | undefined => multiplied(a, b && raised(b, -1))

function raised({ factor, dimensions, zero }: Unit, exponent: number): Unit | undefined {
  if (zero !== undefined) return undefined
  const entries = [...dimensions].map(([name, own]) => [name, own * exponent] as const)
  return { factor: power(factor, exponent), dimensions: new Map(entries) }
}

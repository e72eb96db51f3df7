/** An exact number: `over` is positive and the two have no common divisor. */
export interface Fraction {
  readonly top: bigint
  readonly over: bigint
}

export function fraction(top: bigint, over = 1n): Fraction {
  const divisor = greatestDivisor(top < 0n ? -top : top, over)
  return { top: top / divisor, over: over / divisor }
}

function greatestDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b]
  return a === 0n ? 1n : a
}

export const times = (a: Fraction, b: Fraction): Fraction => fraction(a.top * b.top, a.over * b.over)
export const plus = (a: Fraction, b: Fraction): Fraction => fraction(a.top * b.over + b.top * a.over, a.over * b.over)
/** Of a fraction above 0. */
export const inverse = ({ top, over }: Fraction): Fraction => ({ top: over, over: top })
export const minus = (a: Fraction, b: Fraction): Fraction => plus(a, { top: -b.top, over: b.over })

/** A fraction above 0 to a whole power. */
export function power(base: Fraction, exponent: number): Fraction {
  if (exponent < 0) return power(inverse(base), -exponent)
  return { top: base.top ** BigInt(exponent), over: base.over ** BigInt(exponent) }
}

const decimal = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i

/** The decimal that a text such as `6.02e23` stands for, as JavaScript writes numbers; undefined when it is none. */
export function fractionOf(text: string): Fraction | undefined {
  const [match, sign, whole = '', digits = '', exponent = '0'] = decimal.exec(text) ?? []
  if (match === undefined) return undefined
  const top = BigInt(`${sign}${whole}${digits}`)
  const shift = Number(exponent) - digits.length
  return shift < 0 ? fraction(top, 10n ** BigInt(-shift)) : fraction(top * 10n ** BigInt(shift))
}

/** Digits that tell any double from its neighbours, and some more. */
const digitsAimed = 40

/** The nearest double; infinite when it is beyond all. */
export function numberOf({ top, over }: Fraction): number {
  const shift = digitsAimed - String(top).length + String(over).length
  const [up, down] = shift < 0 ? [1n, 10n ** BigInt(-shift)] : [10n ** BigInt(shift), 1n]
  const quotient = (top * up) / (over * down)
  // One more digit says that something was cut off, so that no half is mistaken for exact.
  const rest = (top * up) % (over * down) === 0n ? '0' : '1'
  return Number(`${quotient}${rest}e${-shift - 1}`)
}

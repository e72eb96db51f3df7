/** The polynomial of CRC-32 (RFC 1952), bits reflected: bit 31 is the coefficient of x^0. */
const polynomial = 0xed_b8_83_20

/** 1 and x^8: what no byte and what one more byte do to a checksum. */
const one = 0x80_00_00_00
const perByte = 0x00_80_00_00

/** The product of two polynomials modulo the CRC's. */
function product(first: number, second: number): number {
  let sum = 0
  let shifted = second
  for (let rest = first; rest !== 0; rest <<= 1) {
    sum ^= shifted & (rest >> 31)
    shifted = (shifted >>> 1) ^ (polynomial & -(shifted & 1))
  }
  return sum
}

const digitBits = 11
const digits = 2 ** digitBits

/** x^(8·d·2048^k) for each digit d: sizes below 8 GiB have three digits, so at most three products give what any piece does. */
const shifts = [0, 1, 2].reduce<readonly Int32Array[]>((tables) => {
  const last = tables.at(-1)
  const step = last === undefined ? perByte : product(last[digits - 1]!, last[1]!)
  const table = new Int32Array(digits)
  table[0] = one
  for (let digit = 1; digit < digits; digit++) table[digit] = product(table[digit - 1]!, step)
  return [...tables, table]
}, [])

/**
 * The CRC-32 of two texts, one after the other, from theirs alone: nothing has to be read again.
 * @param secondBytes how long the second text is, below 8 GiB
 */
export function combineCrc32(first: number, second: number, secondBytes: number): number {
  let shifted = first
  for (let rest = secondBytes, power = 0; rest > 0; rest = Math.floor(rest / digits), power++) {
    const digit = rest % digits
    if (digit !== 0) shifted = product(shifted, shifts[power]![digit]!)
  }
  return (shifted ^ second) >>> 0
}

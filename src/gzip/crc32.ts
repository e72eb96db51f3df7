/** The polynomial of CRC-32 (RFC 1952), bits reflected: bit 31 is the coefficient of x^0. */
const polynomial = 0xed_b8_83_20

/** x^(2^k) modulo the polynomial. The order of x divides 2^32 − 1, so the 33rd would be the first again. */
const powers = squares()

function squares(): readonly number[] {
  const found = [0x40_00_00_00]
  while (found.length < 32) found.push(product(found.at(-1)!, found.at(-1)!))
  return found
}

/** The product of two polynomials modulo the CRC's. */
function product(first: number, second: number): number {
  let sum = 0
  let shifted = second
  for (let bit = 0x80_00_00_00; bit !== 0; bit >>>= 1) {
    if (first & bit) sum ^= shifted
    shifted = shifted & 1 ? (shifted >>> 1) ^ polynomial : shifted >>> 1
  }
  return sum >>> 0
}

/** x^(8n): what n more bytes do to a checksum. */
function shiftBy(bytes: number): number {
  let shift = 0x80_00_00_00
  for (let rest = bytes, power = 3; rest > 0; rest = Math.floor(rest / 2), power++) {
    if (rest % 2 === 1) shift = product(shift, powers[power % 32]!)
  }
  return shift
}

/**
 * The CRC-32 of two texts, one after the other, from theirs alone: nothing has to be read again.
 * @param secondBytes how long the second text is
 */
export const combineCrc32 = (first: number, second: number, secondBytes: number): number =>
  first === 0 ? second : (product(shiftBy(secondBytes), first) ^ second) >>> 0

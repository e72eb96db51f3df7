import type { Deflated } from '../../../gzip/deflated.ts'
import type { ColumnSection } from './column-entry.ts'
import type { VarintReader } from './varints.ts'

/** A section with its entries in [start, end). */
export interface PackSection extends ColumnSection {
  readonly start: number
  readonly end: number
}

/** What is known of all lines of a pack. */
interface Told {
  readonly lengths: Uint32Array
  readonly lines: number
}

/**
 * The sections of a pack.
 * @throws when it has other lines
 */
export function sectionsIn(
  read: VarintReader,
  { lengths, lines: count }: Told,
  pack: Deflated,
): readonly PackSection[] {
  const sections: PackSection[] = []
  let [start, from] = [0, 0]
  while (!read.isAtEnd) {
    const [records, size, crc] = [read.next(), read.next(), read.next()]
    const told = read.next() === 0 ? undefined : read.nextBytes().toString()
    const end = start + records
    const lines = {
      records,
      crc,
      bytes: weightOf(lengths, start, end),
      blocks: pack.blocks.subarray(from, from + size),
    }
    sections.push({ told, lines, start, end })
    start = end
    from += size
  }
  if (sections.length === 0) {
    sections.push({ told: undefined, lines: pack, start: 0, end: count })
    ;[start, from] = [count, pack.blocks.length]
  }
  const isWhole = start === count && from === pack.blocks.length && weightOf(lengths, 0, count) === pack.bytes
  if (!isWhole) throw new Error('a pack tells of other lines than it has')
  return sections
}

function weightOf(lengths: Uint32Array, start: number, end: number): number {
  let sum = 0
  for (let entry = start; entry < end; entry++) sum += lengths[entry]!
  return sum
}

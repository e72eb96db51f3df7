import { type Deflated, deflateLines, inflateLines } from '../gzip/deflated.ts'

/** Where a file that is made again ended: its lines' bytes, and whether what stands at its end goes on in the next one. */
export interface Cut {
  readonly bytes: number
  readonly continues: boolean
}

/** What is made again is not what was published. */
export class NotAsPublished extends Error {}

const lineFeed = 0x0a

/**
 * Divides lines behind so many bytes, which must be more than none and fewer than all.
 * @throws NotAsPublished when no line ends there
 */
export function divideLines(lines: Deflated, bytes: number, level: number): [Deflated, Deflated] {
  const text = inflateLines(lines)
  if (text[bytes - 1] !== lineFeed) throw new NotAsPublished('no line ends where the file ended')
  const head = text.subarray(0, bytes)
  const records = head.reduce((count, byte) => count + Number(byte === lineFeed), 0)
  return [deflateLines(head, records, level), deflateLines(text.subarray(bytes), lines.records - records, level)]
}

import { partGzipBytesMax } from '../limits.ts'

/** What of a part decides which file it goes into. */
export interface JoinablePart {
  readonly id: string
  readonly kind: string
  readonly type: string
  readonly gzipBytes: number
  /** null for parts from before there were checksums: the end of a member cannot be told for them, so they stand alone. */
  readonly crc: number | null
  /** What stands at its end goes on in the next file: a patient's block must not be joined again. */
  readonly continues: boolean
}

/**
 * Puts neighbouring parts of a kind and type together, so that clients get as few files as their bound allows, however many partitions
 * wrote them. Nothing is copied: a file of several parts is one gzip member, which is put together as it is sent (docs/decisions/0051).
 * @param parts in the order of their partitions
 * @returns the parts of each file, in order; most parts may be files of their own
 */
export function joinParts<Part extends JoinablePart>(
  parts: readonly Part[],
  gzipBytesMax: number = partGzipBytesMax,
): Part[][] {
  const files: Part[][] = []
  const open = new Map<string, { readonly parts: Part[]; gzipBytes: number }>()
  for (const part of parts) {
    const key = `${part.kind} ${part.type}`
    const file = open.get(key)
    if (file && file.gzipBytes + part.gzipBytes <= gzipBytesMax && mayFollow(file.parts.at(-1)!, part)) {
      file.parts.push(part)
      file.gzipBytes += part.gzipBytes
      continue
    }
    const begun = { parts: [part], gzipBytes: part.gzipBytes }
    open.set(key, begun)
    files.push(begun.parts)
  }
  return files
}

const mayFollow = (last: JoinablePart, part: JoinablePart): boolean =>
  !last.continues && last.crc !== null && part.crc !== null

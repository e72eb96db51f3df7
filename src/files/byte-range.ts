/** Part of a representation, both ends included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * Reads a `Range` header for a representation of `size` bytes (RFC 9110 §14).
 * @returns undefined when it is to be ignored (no bytes range, or several), 'unsatisfiable' for a 416
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  const [, first, last] = match as unknown as [string, string, string]
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 }
  }
  const range = { start: Number(first), end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
  if (last !== '' && Number(last) < range.start) return undefined
  return range.start >= size ? 'unsatisfiable' : range
}

/**
 * Only the bytes of a range.
 * @param toEnd it ends with its source, not before: only there it shows whether the bytes are right
 */
export async function* sliced(
  bytes: AsyncIterable<Buffer>,
  { start, end }: ByteRange,
  { toEnd }: { readonly toEnd: boolean },
): AsyncGenerator<Buffer> {
  let at = 0
  for await (const chunk of bytes) {
    const from = Math.max(0, start - at)
    const to = Math.min(chunk.length, end + 1 - at)
    at += chunk.length
    if (from < to) yield chunk.subarray(from, to)
    if (at > end && !toEnd) return
  }
}

import { lineBytesMax } from '../limits.ts'

/** A line is longer than the bound: nothing after it can be read. */
export class LineTooLong extends Error {}

/**
 * Cuts a stream of chunks into lines (LF; a CR before it is dropped) and calls `take` with each that is not blank.
 * Holds one unfinished line, never more. Call the result with each chunk, then once with undefined at the end.
 */
export function lineSplitter(take: (line: Buffer) => void): (chunk: Buffer | undefined) => void {
  let kept: Buffer[] = []
  let keptBytes = 0

  function finish(tail: Buffer): void {
    let line = keptBytes === 0 ? tail : Buffer.concat([...kept, tail])
    kept = []
    keptBytes = 0
    if (line.at(-1) === 0x0d) line = line.subarray(0, -1)
    if (!isBlank(line)) take(line)
  }

  return (chunk) => {
    if (chunk === undefined) return finish(Buffer.alloc(0))
    let start = 0
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      finish(chunk.subarray(start, end))
      start = end + 1
    }
    if (start === chunk.length) return
    keptBytes += chunk.length - start
    if (keptBytes > lineBytesMax) throw new LineTooLong(`a line is longer than ${lineBytesMax} bytes`)
    kept.push(start === 0 ? chunk : chunk.subarray(start))
  }
}

/** A chunk can hold white space only; a record starts with a brace, so the first byte decides almost always. */
const isBlank = (line: Buffer): boolean => line[0] !== 0x7b && line.toString('latin1').trim() === ''

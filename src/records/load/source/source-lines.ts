/** One line of a file: its number from 1, and its bytes without the line feed; undefined when it was longer than allowed. */
export interface Line {
  readonly number: number
  readonly bytes: Buffer | undefined
}

/**
 * Splits a stream of bytes at line feeds (a carriage return before one goes too), and gives the lines that end in each chunk together.
 * Empty lines are counted but not given. Memory is bounded by one chunk and one line of at most `bytesMax`; a longer line is passed over.
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>, bytesMax: number): AsyncGenerator<readonly Line[]> {
  let number = 1
  let held: Buffer[] = []
  let heldBytes = 0
  let tooLong = false

  const take = (tail: Buffer): Line | undefined => {
    const bytes = withoutReturn(held.length === 0 ? tail : Buffer.concat([...held, tail]))
    const line = { number, bytes: tooLong || bytes.length > bytesMax ? undefined : bytes }
    held = []
    heldBytes = 0
    tooLong = false
    number++
    return line.bytes?.length === 0 ? undefined : line
  }

  for await (const chunk of chunks) {
    const lines: Line[] = []
    let start = 0
    for (let feed = chunk.indexOf(10); feed >= 0; feed = chunk.indexOf(10, start)) {
      const line = take(chunk.subarray(start, feed))
      start = feed + 1
      if (line) lines.push(line)
    }
    const rest = chunk.subarray(start)
    heldBytes += rest.length
    if (tooLong || heldBytes > bytesMax + 1) {
      tooLong = true
      held = []
    } else if (rest.length > 0) held.push(rest)
    yield lines
  }
  const last = heldBytes > 0 || tooLong ? take(Buffer.alloc(0)) : undefined
  if (last) yield [last]
}

const withoutReturn = (bytes: Buffer): Buffer => (bytes[bytes.length - 1] === 13 ? bytes.subarray(0, -1) : bytes)

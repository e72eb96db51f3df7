import type { LineSink } from '../../../files/part-writer.ts'
import { type Deflated, inflateSealedLines } from '../../../gzip/deflated.ts'
import type { RenderLine, Selection } from '../selection.ts'

/** Writes deflated lines otherwise than they are stored. */
export async function writeRendered(
  { chosen }: Pick<Selection, 'chosen'>,
  writer: LineSink,
  deflated: Deflated,
  render: RenderLine,
): Promise<void> {
  const rendered = Array.from(linesOf(inflateSealedLines(deflated)), render)
  chosen.records += rendered.length
  for (const { length } of rendered) chosen.bytes += length + 1
  await writer.writeRecords(rendered)
}

const lineFeed = 0x0a

/** Each without its line feed. */
function* linesOf(lines: Buffer): Generator<Buffer> {
  for (let start = 0, end = 0; start < lines.length; start = end + 1) {
    end = lines.indexOf(lineFeed, start)
    yield lines.subarray(start, end)
  }
}

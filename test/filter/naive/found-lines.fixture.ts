import assert from 'node:assert/strict'
import { chosenLines } from '../../../src/engine/partition/packs/chosen-lines.ts'
import type { Filter } from '../../../src/filter/compile.ts'

/**
 * The positions of the lines that a filter finds as an export does, in one buffer. What it says of each line by its bytes is compared with
 * what it says of the parsed line.
 */
export function foundLines(filter: Filter, lines: readonly Buffer[]): number[] {
  const found = lines.flatMap((line, index) => {
    const matches = filter.matches(JSON.parse(line.toString()))
    const text = line.toString()
    assert.equal(filter.passes(line, 0, line.length), matches, text)
    if (matches) assert.equal(filter.next(line, 0), 0, text)
    return matches ? [index] : []
  })
  const feed = Buffer.from('\n')
  const lengths = Uint32Array.from(lines, ({ length }) => length + 1)
  const all = Buffer.concat(lines.flatMap((line) => [line, feed]))
  const { runs, entries } = chosenLines(all, lengths, () => true, filter)
  const expected = Buffer.concat(found.flatMap((index) => [lines[index]!, feed]))
  assert.equal(Buffer.concat(runs.map((run) => run.lines)).toString(), expected.toString())
  assert.deepEqual(entries, found)
  return found
}

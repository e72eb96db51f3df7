import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chosenLines } from './chosen-lines.ts'

const asked = fc.array(
  fc.record({ wanted: fc.boolean(), passes: fc.boolean(), candidate: fc.boolean(), length: fc.nat({ max: 3 }) }),
)

test('lines that are wanted, pass, and stand side by side are one run', () => {
  fc.assert(
    fc.property(asked, fc.boolean(), (records, isFiltered) => {
      // A line tells its own number, so that each is another one.
      const texts = records.map(({ length }, index) => `${index}${'x'.repeat(length)}\n`)
      const starts = texts.map((_, index) => texts.slice(0, index).join('').length)
      const lines = Buffer.from(texts.join(''))
      const filter = {
        next: (_: Buffer, from: number) =>
          starts.find((start, index) => start >= from && records[index]!.candidate) ?? lines.length,
        passes: (_: Buffer, start: number, end: number) => {
          const index = starts.indexOf(start)
          assert.equal(lines.toString('utf8', start, end), texts[index]!.trimEnd())
          return records[index]!.passes
        },
      }
      const isIn = records.map(({ wanted, passes, candidate }) => wanted && (!isFiltered || (passes && candidate)))
      const lengths = Uint32Array.from(texts, ({ length }) => length)
      const isWanted = (entry: number) => records[entry]!.wanted
      const { runs, entries } = chosenLines(lines, lengths, isWanted, isFiltered ? filter : undefined)
      assert.deepEqual(
        entries,
        [...isIn.keys()].filter((index) => isIn[index]),
      )
      assert.equal(runs.map((run) => run.lines).join(''), texts.filter((_, index) => isIn[index]).join(''))
      assert.equal(runs.length, isIn.filter((is, index) => is && !isIn[index - 1]).length)
      assert.equal(
        runs.reduce((sum, run) => sum + run.records, 0),
        entries.length,
      )
      assert.ok(runs.every((run) => run.lines.buffer === lines.buffer))
    }),
  )
})

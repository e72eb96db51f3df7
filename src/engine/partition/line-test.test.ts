import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { passingLines } from './line-test.ts'

const lengths = fc.array(fc.record({ passes: fc.boolean(), candidate: fc.boolean(), length: fc.nat({ max: 3 }) }))

test('lines that pass and stand side by side are one run', () => {
  fc.assert(
    fc.property(lengths, (records) => {
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
      const isIn = records.map(({ passes, candidate }) => passes && candidate)
      const found = passingLines(lines, filter)
      assert.equal(found.records, isIn.filter(Boolean).length)
      assert.equal(found.runs.join(''), texts.filter((_, index) => isIn[index]).join(''))
      assert.equal(found.runs.length, isIn.filter((is, index) => is && !isIn[index - 1]).length)
      assert.ok(found.runs.every(({ buffer }) => buffer === lines.buffer))
    }),
  )
})

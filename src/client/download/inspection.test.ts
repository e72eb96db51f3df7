import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { OfferedFile } from '../manifest.ts'
import { inspect } from './inspection.ts'
import { lineSplitter } from './line-splitter.ts'

const offered = (more: Partial<OfferedFile> = {}): OfferedFile => ({
  kind: 'output',
  type: 'Goal',
  url: new URL('https://files.example/1'),
  count: undefined,
  stem: 'Goal.1',
  ...more,
})

function findingsOf(text: string | Buffer, more: Partial<OfferedFile> = {}) {
  const inspection = inspect(offered(more))
  inspection.take(Buffer.from(text))
  inspection.take(undefined)
  return inspection.findings()
}

const goal = '{"resourceType":"Goal","id":"1"}\n'

test('lines are the same however the bytes are cut', () => {
  const text = fc.array(fc.constantFrom('{"a":1}', 'é🙂', '', ' ', '\r')).map((lines) => Buffer.from(lines.join('\n')))
  fc.assert(
    fc.property(text, fc.array(fc.nat(40)), (bytes, cuts) => {
      const lines: string[] = []
      const split = lineSplitter((line) => lines.push(line.toString()))
      let start = 0
      for (const cut of cuts) {
        split(bytes.subarray(start, start + cut))
        start += cut
      }
      split(bytes.subarray(start))
      split(undefined)
      const expected = bytes
        .toString()
        .split('\n')
        .map((line) => line.replace(/\r$/, ''))
        .filter((line) => line.trim())
      assert.deepEqual(lines, expected)
    }),
  )
})

test('§11.6: each line is one object of the type that the manifest names', () => {
  const rows: [string | Buffer, string[]][] = [
    [goal, []],
    [goal.trim(), []],
    [`${goal.trim()}\r\n${goal}`, []],
    ['', []],
    [`${goal}{"resourceType":"Patient"}\n{}\n`, ['line 2 is of type Patient, not Goal (and 1 more such lines)']],
    [`${goal}{"resourceType":"Go`, ['line 2 is not JSON']],
    ['[]\n', ['line 1 is not a JSON object']],
    [Buffer.from([0x7b, 0xff, 0x7d, 0x0a]), ['line 1 is not UTF-8']],
  ]
  for (const [text, faults] of rows) assert.deepEqual(findingsOf(text).faults, faults, String(text))
})

test('the number of records is the one that the manifest gives', () => {
  assert.deepEqual(findingsOf(goal.repeat(2), { count: 2 }).faults, [])
  assert.deepEqual(findingsOf(goal.repeat(2), { count: 3 }).faults, ['it has 2 records, but the manifest says 3'])
})

test('issues of error files are counted by severity, code and text', () => {
  const outcome = (text: string) =>
    `${JSON.stringify({ resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'not-found', details: { text } }] })}\n`
  const text = outcome('A') + outcome('B\u001b[31m') + outcome('A')
  assert.deepEqual(findingsOf(text, { kind: 'error', type: 'OperationOutcome' }).issues.list(), [
    { severity: 'warning', code: 'not-found', text: 'A', count: 2 },
    { severity: 'warning', code: 'not-found', text: 'B [31m', count: 1 },
  ])
})

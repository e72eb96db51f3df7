import assert from 'node:assert/strict'
import { test } from 'node:test'
import pino from 'pino'
import { SparseLog, sparseLinesMax, sparseMs } from './sparse-log.ts'

test('the first lines of a time are whole, the rest is counted by kind and told at its end', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const lines: { readonly msg: string; readonly kind?: string; readonly leftOut?: unknown }[] = []
  const sparse = new SparseLog(pino({}, { write: (line) => lines.push(JSON.parse(line)) }), 'info', 'told')
  for (let count = 0; count < 10_000; count++) sparse.line(count % 4 === 0 ? 'a' : 'b', { kind: 'x' })
  assert.equal(lines.length, sparseLinesMax)
  t.mock.timers.tick(sparseMs)
  assert.equal(lines.length, sparseLinesMax + 1)
  assert.deepEqual([lines.at(-1)?.msg, lines.at(-1)?.leftOut], ['told', { a: 2_497, b: 7_493 }])
  sparse.line('a', { kind: 'next' })
  assert.equal(lines.at(-1)?.kind, 'next')
  t.mock.timers.tick(sparseMs)
  assert.equal(lines.length, sparseLinesMax + 2, 'nothing was left out, nothing is told')
})

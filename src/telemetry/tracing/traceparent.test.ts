import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTraceparent, parseTraceparent, traceparentCharsMax } from './traceparent.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'

test('a traceparent is read and written again', () => {
  for (const flags of ['00', '01']) {
    const text = `00-${traceId}-${spanId}-${flags}`
    assert.deepEqual(parseTraceparent(text), { traceId, spanId, traceFlags: Number(flags), isRemote: true })
    assert.equal(formatTraceparent(parseTraceparent(text)!), text)
  }
})

test('of later versions what is known is read, and of the flags only whether it is sampled', () => {
  assert.equal(parseTraceparent(`01-${traceId}-${spanId}-03-more`)?.traceFlags, 1)
  const longest = `01-${traceId}-${spanId}-00-`.padEnd(traceparentCharsMax, 'x')
  assert.equal(parseTraceparent(longest.slice(0, -1))?.traceId, traceId)
  assert.equal(parseTraceparent(longest)?.traceId, traceId)
  assert.equal(parseTraceparent(`${longest}x`), undefined)
})

test('what is none is no trace', () => {
  const none = [
    ...[undefined, '', 'x', ['a'], 7],
    `ff-${traceId}-${spanId}-00`,
    `00-${traceId}-${spanId}-00-more`,
    `00-${traceId}-${spanId}`,
    `00-${traceId.toUpperCase()}-${spanId}-00`,
    `00-${'0'.repeat(32)}-${spanId}-00`,
    `00-${traceId}-${'0'.repeat(16)}-00`,
    ` 00-${traceId}-${spanId}-00`,
    `00-${traceId}-${spanId}-0g`,
    `00-${traceId}-${spanId}-00\n`,
  ]
  for (const text of none) assert.equal(parseTraceparent(text), undefined, String(text))
})

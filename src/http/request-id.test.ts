import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callerIdCharsMax, namesOfCaller } from './request-id.ts'

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${trace}-00f067aa0ba902b7-01`

test("a caller's own id and its trace are kept", () => {
  const headers = { 'x-request-id': '6a7e:1/2+3=@b_c-d.e', traceparent }
  assert.deepEqual(namesOfCaller(headers), { callerReqId: '6a7e:1/2+3=@b_c-d.e', traceId: trace })
  assert.deepEqual(namesOfCaller({}), {})
})

test('an id is kept up to its bound, and one character more is not', () => {
  const longest = 'x'.repeat(callerIdCharsMax)
  assert.deepEqual(namesOfCaller({ 'x-request-id': longest.slice(1) }), { callerReqId: longest.slice(1) })
  assert.deepEqual(namesOfCaller({ 'x-request-id': longest }), { callerReqId: longest })
  assert.deepEqual(namesOfCaller({ 'x-request-id': `${longest}x` }), {})
})

test('what is not one plain word is not kept', () => {
  for (const id of ['', 'a b', 'a, b', '"', 'a\nb', 'ä', '<script>', '\u001b[31m', '{"level":60}'])
    assert.deepEqual(namesOfCaller({ 'x-request-id': id }), {}, id)
  assert.deepEqual(namesOfCaller({ 'x-request-id': ['a', 'b'] as unknown as string }), {})
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorReason } from './error-code.ts'

test('the reason is a text, also of a copy of an error, which is what the queue reports', () => {
  const error = Object.assign(new Error('gone'), { code: 'X' })
  assert.equal(errorReason(error), 'gone')
  assert.equal(errorReason({ ...error, message: error.message, queue: 'export' }), 'gone')
  assert.equal(errorReason(new AggregateError([error])), 'gone')
  assert.equal(errorReason('text'), 'text')
})

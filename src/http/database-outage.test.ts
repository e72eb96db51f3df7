import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOutage } from './database-outage.ts'

const coded = (code: string, more: object = {}) => Object.assign(new Error('failed'), { code, ...more })

test('T-170: what may be over in a moment is an outage', () => {
  for (const code of [
    '08006',
    '53300',
    '53100',
    '57P01',
    '57P03',
    '55P03',
    '57014',
    '25P03',
    'ECONNREFUSED',
    'EIO',
    'EMFILE',
  ]) {
    assert.equal(isOutage(coded(code)), true, code)
  }
  assert.equal(isOutage(coded('ENOENT', { syscall: 'connect' })), true, 'the socket of a database that is away')
  assert.equal(isOutage(new Error('Connection terminated unexpectedly')), true)
  assert.equal(isOutage(new Error('timeout exceeded when trying to connect')), true)
  assert.equal(isOutage(new Error('Client was closed and is not queryable')), true)
  assert.equal(isOutage(new Error('Migration failed', { cause: coded('57P01') })), true, 'what an error was caused by')
  assert.equal(isOutage(new AggregateError([coded('ECONNREFUSED')])), true)
})

test('what stays wrong is none', () => {
  for (const code of ['23505', '42P01', '22P02', 'ERR_INVALID_ARG_TYPE']) {
    assert.equal(isOutage(coded(code)), false, code)
  }
  assert.equal(isOutage(coded('ENOENT', { syscall: 'open' })), false, 'a file that is gone')
  for (const value of [new Error('x is not a function'), new AggregateError([]), undefined, 'ECONNREFUSED']) {
    assert.equal(isOutage(value), false)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../failure.ts'
import { readLogging } from './log-options.ts'
import { readableLine } from './readable-line.ts'

test('flags win over the environment; what is not said has its default, which is text on a terminal', () => {
  assert.deepEqual(readLogging({}, {}, false), { level: 'info', format: 'json', access: true })
  assert.deepEqual(readLogging({}, {}, true), { level: 'info', format: 'text', access: true })
  const environment = { MILLRACE_LOG_LEVEL: 'warn', MILLRACE_LOG_FORMAT: 'json', MILLRACE_ACCESS_LOG: 'off' }
  assert.deepEqual(readLogging({}, environment, true), { level: 'warn', format: 'json', access: false })
  assert.deepEqual(readLogging({ logLevel: 'debug', logFormat: 'text' }, environment, false), {
    ...{ level: 'debug', format: 'text', access: false },
  })
  assert.equal(readLogging({ accessLog: false }, {}, false).access, false)
  assert.equal(readLogging({ accessLog: true }, { MILLRACE_ACCESS_LOG: 'on' }, false).access, true)
})

test('a word that is none is a failure', () => {
  for (const name of ['MILLRACE_LOG_LEVEL', 'MILLRACE_LOG_FORMAT', 'MILLRACE_ACCESS_LOG'])
    assert.throws(() => readLogging({}, { [name]: 'loud' }, false), Failure)
})

test('a line for people has the time, what happened, and its fields', () => {
  const time = new Date(2026, 0, 2, 3, 4, 5, 678).toISOString()
  const line = (fields: object) => readableLine(JSON.stringify({ level: 30, time, ...fields }))
  assert.equal(
    line({ method: 'GET', route: '/r4/:tenant/Patient/$export', status: 200, msg: 'answered' }),
    '03:04:05.678 answered method=GET route=/r4/:tenant/Patient/$export status=200\n',
  )
  assert.equal(
    readableLine(JSON.stringify({ level: 40, time, reason: 'two words', types: ['a'], msg: 'export failed' })),
    '03:04:05.678 WARN export failed reason="two words" types=["a"]\n',
  )
})

test('what a caller has chosen tells a terminal nothing', () => {
  const line = readableLine(JSON.stringify({ level: 30, time: new Date().toISOString(), id: '\u001b[2J\n', msg: 'x' }))
  assert.match(line, /id="\\u001b\[2J\\n"\n$/)
})

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Failure } from '../../failure.ts'
import { metricsTokenCharsMax, metricsTokenCharsMin, readMetrics } from './metrics-options.ts'

let directory: string
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-metrics-'))
})
after(() => rmSync(directory, { recursive: true }))

function file(text: string): string {
  const path = join(directory, 'token')
  writeFileSync(path, text)
  return path
}

test('flags win over the environment; without either there are no metrics', async () => {
  const environment = { MILLRACE_METRICS: '127.0.0.1:1', MILLRACE_METRICS_TOKEN_FILE: file('t'.repeat(20)) }
  assert.deepEqual(await readMetrics({}, {}), {})
  assert.deepEqual(await readMetrics({}, { MILLRACE_METRICS: '', MILLRACE_METRICS_TOKEN_FILE: '' }), {})
  const token = 't'.repeat(20)
  assert.deepEqual(await readMetrics({}, environment), { address: { host: '127.0.0.1', port: 1 }, token })
  assert.deepEqual(await readMetrics({ metrics: '[::1]:9464' }, environment), {
    address: { host: '::1', port: 9464 },
    token,
  })
})

test('an address is a host and a port', async () => {
  for (const metrics of ['127.0.0.1:0', 'metrics.internal:65535', '[fd00::1]:9464'])
    assert.ok((await readMetrics({ metrics }, {})).address)
  for (const metrics of ['9464', ':9464', '127.0.0.1', '127.0.0.1:65536', '::1:9464', 'a b:1', 'http://x:1', '[::1]'])
    await assert.rejects(readMetrics({ metrics }, {}), Failure, metrics)
})

test('a token has its bounds, and white space around it is none of it', async () => {
  const read = (text: string) => readMetrics({ metricsTokenFile: file(text) }, {})
  for (const length of [metricsTokenCharsMin, metricsTokenCharsMin + 1, metricsTokenCharsMax - 1, metricsTokenCharsMax])
    assert.equal((await read(`${'t'.repeat(length)}\n`)).token?.length, length)
  for (const length of [0, metricsTokenCharsMin - 1, metricsTokenCharsMax + 1])
    await assert.rejects(read('t'.repeat(length)), Failure)
  await assert.rejects(read('two words that are long'), Failure)
  await assert.rejects(readMetrics({ metricsTokenFile: join(directory, 'missing') }, {}), Failure)
})

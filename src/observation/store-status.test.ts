import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { askServer } from './answering-server.ts'
import { certificateDaysMin, problemsOf } from './store-status.ts'

const now = new Date('2026-11-28T00:00:00Z')
const dayMs = 86_400_000
const url = 'https://fhir.example.org'

const status = {
  id: 'store',
  postgresql: '18.4',
  migrations: { missing: [], unknown: [] },
  figures: undefined,
  packs: undefined,
  disks: [{ disk: 'files' as const, directory: '/files', freeBytes: 1000 }],
  server: { url, readiness: { ready: true, status: 'ok' as const } },
}
const problems = (change: Partial<Parameters<typeof problemsOf>[0]>, floorBytes = 0) =>
  problemsOf({ ...status, ...change }, { floorBytes, now })

test('a certificate is told from some days before it expires', () => {
  const of = (ms: number) =>
    problems({ server: { ...status.server, certificateValidTo: new Date(now.getTime() + ms) } })
  assert.deepEqual(of(certificateDaysMin * dayMs + 1), [])
  assert.deepEqual(of(certificateDaysMin * dayMs), [])
  assert.deepEqual(of(certificateDaysMin * dayMs - 1), [`the certificate expires within ${certificateDaysMin} days`])
  assert.deepEqual(of(-1), ['the certificate has expired'])
})

test('a disk is told when less is free than must be', () => {
  assert.deepEqual(problems({}, 1000), [])
  assert.deepEqual(problems({}, 1001), ['too little disk is free for exports in /files'])
})

test('all that a server says of itself is told', () => {
  const readiness = { ready: false, status: 'stopping', files: 'not writable', queue: 'stands still' } as const
  assert.deepEqual(problems({ server: { url, readiness } }), [
    'the server takes no requests: stopping',
    'the server says: files not writable',
    'the server says: queue stands still',
  ])
  assert.deepEqual(problems({ server: { url, reason: 'ENOTFOUND' } }), [`no server answers at ${url}: ENOTFOUND`])
  assert.deepEqual(problems({ server: undefined }), ['no server has served the store yet'])
})

const figures = {
  jobs: {},
  partitions: { waiting: 0, running: 0, done: 0 },
  ...{ oldestPlanSeconds: 0, oldestPartitionSeconds: 0, tasksReady: 0, tasksActive: 0, workers: 1 },
  ...{ unpacked: 0, databaseBytes: 1, connectionsOpen: 90, connectionsAllowed: 100 },
}

test('hardly any connections left, and no worker beside a server, are told', () => {
  assert.deepEqual(problems({ figures }), [])
  assert.deepEqual(problems({ figures: { ...figures, connectionsOpen: 91 } }), [
    '91 of 100 connections of the database are open',
  ])
  assert.deepEqual(problems({ figures: { ...figures, workers: 0 } }), ['no worker is alive: nothing is exported'])
})

test('whoever answers and is not Millrace is told so', async () => {
  const answers = ['<html>', '{"status":7}', JSON.stringify({ status: 'x'.repeat(100_000) }), '']
  const server = createServer((_request, response) => response.writeHead(404).end(answers.shift()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const asked = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  while (answers.length > 0) {
    const { readiness, reason } = await askServer(asked)
    assert.deepEqual([readiness, reason], [undefined, 'it answers 404, and not as Millrace does'])
  }
  server.close()
})

test('a server that stands still is told so, and not waited for', async (t) => {
  t.mock.method(AbortSignal, 'timeout', () => AbortSignal.abort(new DOMException('too late', 'TimeoutError')))
  assert.deepEqual(await askServer('http://127.0.0.1:1'), { url: 'http://127.0.0.1:1', reason: 'no answer within 5 s' })
})

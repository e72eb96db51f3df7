import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from 'pg'
import pino from 'pino'
import { type AuditEntry, storeChain } from '../../audit/entry.ts'
import type { AuditTrail } from '../../audit/trail.ts'
import type { FileStore } from '../../files/file-store.ts'
import { contextFor } from '../context.fixture.ts'
import { buildServer } from '../server.ts'

/** Where the database of the tests would be. */
const address = '192.0.2.77:5432'

test('P6: while the store is away, a refusal is the 503 of an outage, and goes into the chain of the store', async (t) => {
  const away = Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED' })
  const pool = { query: () => Promise.reject(away) } as unknown as Pool
  const noted: AuditEntry[] = []
  const context = contextFor(
    { pool, files: {} as FileStore, contentSecret: Buffer.alloc(32) },
    () => new Date(),
    'http://x',
  )
  const audit = { note: (entry: AuditEntry) => noted.push(entry) } as unknown as AuditTrail
  const app = buildServer({ ...context, audit }, pino({ level: 'silent' }))
  t.after(() => app.close())
  for (const [method, url] of [
    ['GET', '/r4/clinic/Patient/p1'],
    ['POST', '/r4/clinic/Patient/$export'],
    ['GET', '/r4/clinic/bulk-export/jobs/x'],
  ] as const) {
    const answer = await app.inject({ method, url, headers: { authorization: 'Bearer x' } })
    assert.equal(answer.statusCode, 503, url)
    assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/)
    assert.equal(answer.json().resourceType, 'OperationOutcome')
    assert.ok(!answer.body.includes(address))
  }
  assert.deepEqual(
    noted.map(({ tenant, kind, outcome }) => [tenant, kind, outcome]),
    [
      [storeChain, 'read', 'failed'],
      [storeChain, 'kick-off', 'failed'],
      [storeChain, 'access', 'failed'],
    ],
  )
})

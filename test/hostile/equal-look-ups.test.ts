import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { Pool } from 'pg'
import pino from 'pino'
import { AccessDirectory } from '../../src/access/directory.ts'
import { loadSecret } from '../../src/access/secret.ts'
import { diskStore } from '../../src/files/disk-store.ts'
import { contextFor } from '../../src/http/context.fixture.ts'
import { buildServer } from '../../src/http/server.ts'
import { ScenarioSuite } from '../scenarios/suite.ts'
import { bearer, type Target, targetOn } from './target.ts'

let target: Target
let app: FastifyInstance
let queries: string[] = []

before(async () => {
  target = await targetOn(await ScenarioSuite.open())
  const { server } = target.suite
  // Tenants and keys are remembered for ever, so that all that is recorded belongs to the request.
  const now = () => new Date(0)
  const pool = recording(server.pool)
  const files = diskStore(await server.filesFolder())
  const contentSecret = await loadSecret(server.pool, 'content-link')
  const context = contextFor({ pool, files, contentSecret }, now, server.url)
  const directory = new AccessDirectory(pool, () => 0)
  app = buildServer({ ...context, directory }, pino({ level: 'silent' }))
})
after(async () => {
  await app.close()
  await target.suite.close()
})

/** Refusals are kept in the audit trail when there is time, also those of requests before. */
const isOfTrail = (text: string): boolean => /audit/.test(text)

/** The pool, with a note of each statement it is asked. */
const recording = (pool: Pool): Pool =>
  new Proxy(pool, {
    get: (inner, name) => {
      if (name !== 'query') return Reflect.get(inner, name)
      return (text: string, values?: unknown[]) => {
        if (!isOfTrail(text)) queries.push(text)
        return inner.query(text, values)
      }
    },
  })

/** The statements that a request of the foreigner makes. */
async function statementsOf(method: 'GET' | 'DELETE', url: string): Promise<readonly string[]> {
  const headers = bearer(target.foreigner)
  await app.inject({ method: 'GET', url: '/r4/neighbour/bulk-export/jobs/1', headers })
  queries = []
  const { statusCode } = await app.inject({ method, url, headers })
  assert.equal(statusCode, 404)
  return [...queries]
}

const things = [
  ['GET', 'jobs', 'finished'],
  ['DELETE', 'jobs', 'finished'],
  ['GET', 'jobs', 'running'],
  ['DELETE', 'jobs', 'running'],
  ['GET', 'files', 'file'],
] as const

for (const [method, folder, thing] of things) {
  test(`${method} of another tenant's ${thing} asks the database what a look-up of nothing asks`, async () => {
    const base = `/r4/neighbour/bulk-export/${folder}`
    const there = await statementsOf(method, `${base}/${target[thing].split('/').at(-1)}`)
    const notThere = await statementsOf(method, `${base}/${randomUUID()}`)
    assert.ok(there.some((text) => /\bjob\b/.test(text)))
    assert.deepEqual(there, notThere)
  })
}

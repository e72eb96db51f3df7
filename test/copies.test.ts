import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { draftOf } from '../src/records/draft.ts'
import { load } from '../src/records/load/load.ts'
import { findSourceFiles } from '../src/records/load/source/source-files.ts'
import type { Change } from '../src/records/write/change.ts'
import { write } from '../src/records/write/write.ts'
import { TestServer } from './server.ts'

/** Exports of a source, each from the time of the one before, are loaded into copies. */
const exportsMade = 7

interface ManifestFile {
  readonly url: string
}
interface Manifest {
  readonly transactionTime: string
  readonly output: readonly ManifestFile[]
  readonly deleted?: readonly ManifestFile[]
  readonly error: readonly ManifestFile[]
}

let server: TestServer
let directory: string
let token: string
before(async () => {
  server = await TestServer.start()
  directory = await mkdtemp(join(tmpdir(), 'millrace-copies-'))
  for (const tenant of ['source', 'kept', 'anew']) await server.addTenant(tenant, 'hl7')
  token = await server.token(await server.addClient('source'))
})
after(async () => {
  await server?.stop()
  await rm(directory, { recursive: true, force: true })
})

const patients = ['p0', 'p1', 'p2']
const clinical = ['Condition/c0', 'Condition/c1', 'Observation/o0', 'Observation/o1']
const keys = [...patients.map((id) => `Patient/${id}`), ...clinical, 'Practitioner/a', 'Provenance/v']

/** A change of one record: undefined content deletes it. Few keys, so that the same record is changed and deleted in turns. */
const change = fc.record({
  key: fc.constantFrom(...keys),
  content: fc.option(fc.record({ n: fc.nat(3), patient: fc.constantFrom(...patients) }), { nil: undefined }),
})
const rounds = fc.array(
  fc.array(fc.uniqueArray(change, { selector: ({ key }) => key, maxLength: 6 }), { maxLength: 3 }),
  {
    minLength: exportsMade,
    maxLength: exportsMade,
  },
)

function changeOf({ key, content }: typeof change extends fc.Arbitrary<infer T> ? T : never): Change {
  const [type = '', id = ''] = key.split('/')
  if (content === undefined) return { kind: 'delete', key: { type, id } }
  const subject = { reference: `Patient/${content.patient}` }
  const members = {
    Condition: { subject },
    Observation: { subject, performer: [{ reference: 'Practitioner/a' }] },
    Provenance: { target: [{ reference: 'Condition/c0' }, { reference: 'Observation/o0' }] },
  }[type]
  const draft = draftOf(
    JSON.stringify({ resourceType: type, id, ...members, extension: [{ valueInteger: content.n }] }),
    [],
  )
  assert.ok('text' in draft)
  return { kind: 'put', draft }
}

async function get(url: string, more: Record<string, string> = {}): Promise<Response> {
  for (;;) {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}`, ...more } })
    if (response.status !== 202 || more.prefer !== undefined) {
      if (response.status !== 429) return response
    }
    await response.arrayBuffer()
    await pause(20)
  }
}

/** Exports the source and writes what came into a folder, as a client would. */
async function exported(round: number, since: string | undefined): Promise<{ folder: string; time: string }> {
  const asked = since === undefined ? '' : `?_since=${encodeURIComponent(since)}`
  const kickOff = await get(`${server.base('source')}/$export${asked}`, {
    prefer: 'respond-async',
    accept: 'application/fhir+json',
  })
  assert.equal(kickOff.status, 202, await kickOff.text())
  const status = await get(kickOff.headers.get('content-location')!)
  assert.equal(status.status, 200)
  const { transactionTime, output, deleted = [], error } = (await status.json()) as Manifest
  const folder = await mkdtemp(join(directory, `${round}-`))
  for (const [index, { url }] of [...output, ...deleted, ...error].entries()) {
    await writeFile(join(folder, `${index}.ndjson`), await (await get(url)).text())
  }
  return { folder, time: transactionTime }
}

async function loaded(tenant: string, folder: string, keepLastUpdated: boolean): Promise<void> {
  const { files } = await findSourceFiles([folder]).catch(() => ({ files: [] }))
  const report = {
    onBytes: () => {},
    onBatch: () => {},
    onFault: (fault: object) => assert.fail(JSON.stringify(fault)),
  }
  await load(server.pool, tenant, files, { bases: [], keepLastUpdated }, report)
}

/** The current records of a tenant, each under its owner and key: the text without its version and time, and the time. */
async function current(tenant: string) {
  const { rows } = await server.pool.query(
    `select type || '/' || id as key, body, owner, updated from record
     where tenant = $1 and superseded = 'infinity' and not deleted order by type, id, owner`,
    [tenant],
  )
  const texts: Record<string, unknown> = {}
  const times: Record<string, string> = {}
  const there = new Set(rows.map(({ owner, key }) => `${owner} ${key}`))
  for (const { key, body, owner, updated } of rows) {
    const { meta, ...rest } = JSON.parse(body)
    assert.equal(meta.lastUpdated, updated.toISOString())
    // Whose a Provenance was by targets that are gone is remembered by the source alone: a copy may never have heard of them.
    const targets: { reference: string }[] | undefined = rest.target
    const isOwned = targets?.some(({ reference }) => there.has(`${owner} ${reference}`)) ?? true
    for (const place of isOwned ? [key, `${owner} ${key}`] : [key]) {
      texts[place] = rest
      times[place] = meta.lastUpdated
    }
  }
  return { texts, times }
}

test('a copy that is kept by exports, each from the time of the one before, and loads equals its source (property)', async () => {
  await fc.assert(
    fc.asyncProperty(rounds, async (changes) => {
      let since: string | undefined
      for (const tenant of ['source', 'kept', 'anew'])
        await server.pool.query('delete from record where tenant = $1', [tenant])
      for (const tenant of ['source', 'kept', 'anew'])
        await server.pool.query('delete from pack where tenant = $1', [tenant])
      for (const [round, writes] of changes.entries()) {
        for (const batch of writes) await write(server.pool, 'source', batch.map(changeOf))
        const { folder, time } = await exported(round, since)
        await loaded('kept', folder, true)
        await loaded('anew', folder, false)
        const [source, kept, anew] = [await current('source'), await current('kept'), await current('anew')]
        assert.deepEqual(kept.texts, source.texts)
        assert.deepEqual(anew.texts, source.texts)
        // A record that was changed to and fro is unchanged for the copy, which keeps the time it had.
        for (const [key, time] of Object.entries(kept.times)) assert.ok(time <= source.times[key]!)
        since = time
      }
    }),
    { numRuns: 3, endOnFailure: true },
  )
})

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { runExport } from '../../src/client/export.ts'
import { population } from '../../src/population/population.ts'
import { draftOf } from '../../src/records/draft.ts'
import { storeDrafts } from '../../src/records/load/store-drafts.ts'
import { packChanged } from '../../src/records/packs/packer.ts'
import { type TestClient, TestServer } from '../server.ts'

const pauseMs = 50

interface Manifest {
  readonly output: readonly { readonly url: string; readonly type?: string }[]
  readonly error: readonly { readonly url: string }[]
}

describe('an export all of whose files are damaged', () => {
  let server: TestServer
  let registered: TestClient
  let headers: Record<string, string>
  let patients: readonly string[]

  before(async () => {
    server = await TestServer.start(['--workers', '1'])
    await server.addTenant('clinic', 'hl7')
    const records = [...population({ patients: 6, seed: 3, types: 'all' })]
    patients = records.filter(({ type }) => type === 'Patient').map(({ id }) => id)
    const drafts = records.map(({ line }) => draftOf(line, []))
    await storeDrafts(server.pool, 'clinic', drafts as never, true, () => {})
    registered = await server.addClient('clinic')
    headers = { authorization: `Bearer ${await server.token(registered)}`, accept: 'application/fhir+json' }
  })
  after(() => server.stop())

  async function exported(more: readonly object[]): Promise<{ readonly job: string; readonly manifest: Manifest }> {
    const listed = [...patients, randomUUID()].map((id) => ({
      name: 'patient',
      valueReference: { reference: `Patient/${id}` },
    }))
    const kickOff = await fetch(`${server.base('clinic')}/Patient/$export`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/fhir+json', prefer: 'respond-async, handling=lenient' },
      body: JSON.stringify({ resourceType: 'Parameters', parameter: [...listed, ...more] }),
    })
    assert.equal(kickOff.status, 202, await kickOff.text())
    const job = kickOff.headers.get('content-location')!
    for (;;) {
      const status = await fetch(job, { headers })
      const body = await status.text()
      if (status.status === 200) return { job, manifest: JSON.parse(body) as Manifest }
      // 429: it is asked about as often as may be (T-169).
      assert.ok([202, 429].includes(status.status), `${status.status} ${body}`)
      await pause(pauseMs)
    }
  }

  async function texts({ output, error }: Manifest): Promise<string[]> {
    const found: string[] = []
    for (const { url } of [...output, ...error]) found.push(await whole(url))
    return found
  }

  /** A file, however often it must be asked for. */
  async function whole(url: string): Promise<string> {
    for (;;) {
      const answer = await fetch(url, { headers: { ...headers, accept: 'application/fhir+ndjson' } }).catch(
        () => undefined,
      )
      const body = await answer?.text().catch(() => undefined)
      if (answer?.status === 200 && body !== undefined) return body
      if (answer && body !== undefined) assert.ok([200, 429, 503].includes(answer.status), `${answer.status} ${body}`)
      await pause(pauseMs)
    }
  }

  /** Damages every file of a job, each in another way. */
  async function damageAll(job: string): Promise<number> {
    const folder = join(await server.filesFolder(), job.split('/').at(-1)!)
    const entries = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.gz'))
    for (const [index, name] of entries.entries()) {
      const path = join(folder, name)
      const bytes = await readFile(path)
      if (index % 3 === 0) await rm(path)
      else if (index % 3 === 1) await writeFile(path, bytes.subarray(0, bytes.length >> 1))
      else {
        bytes[bytes.length - 5]! ^= 8
        await writeFile(path, bytes)
      }
    }
    return entries.length
  }

  const provenance = { name: 'includeAssociatedData', valueCode: 'RelevantProvenanceResources' }
  const blocks = { name: 'organizeOutputBy', valueString: 'Patient' }
  for (const [what, more] of [
    ['one type a file, with an error file', [provenance]],
    ['in blocks of patients', [blocks]],
  ] as const) {
    it(`comes whole again: ${what}; from versions or packs, also when the server is killed meanwhile`, async () => {
      const { job, manifest } = await exported(more)
      assert.ok(manifest.error.length > 0)
      const before = await texts(manifest)
      assert.ok((await damageAll(job)) >= manifest.output.length)
      assert.deepEqual(await texts(manifest), before)

      await packChanged(server.pool, { settledMs: 0 }, () => true)
      await damageAll(job)
      const again = texts(manifest)
      await server.kill('SIGKILL')
      await server.spawn(['--workers', '1'])
      assert.deepEqual(await again, before)
      assert.deepEqual((await exported(more)).manifest.output.length, manifest.output.length)
      const status = await fetch(job, { headers })
      assert.deepEqual(await status.json(), manifest)
    })
  }

  it('millrace export gets through it', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-mended-'))
    t.after(() => rm(directory, { recursive: true }))
    const folder = await server.filesFolder()
    let waits = 0
    const summary = await runExport(
      {
        base: server.base('clinic'),
        credentials: { clientId: registered.id, key: registered.key },
        order: { selection: { patients }, types: [], typeFilters: [], includeAssociatedData: [] },
        directory: join(directory, 'out'),
        parallel: 1,
        signal: AbortSignal.timeout(900_000),
      },
      (event) => {
        if (event.kind === 'retry') waits += 1
        if (event.kind === 'manifest') rmSync(folder, { recursive: true })
      },
    )
    assert.deepEqual(summary.problems, [])
    assert.ok(waits > 0)
  })
})

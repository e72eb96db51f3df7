import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { openTestStore } from '../../../database/store.fixture.ts'
import { transaction } from '../../../database/transaction.ts'
import { diskStore } from '../../../files/disk-store.ts'
import { acceptJob, findJob, packJob } from '../../../jobs/job.ts'
import { openProducer } from '../../../jobs/queue.ts'
import type { ExportRequest } from '../../../protocol/request/export-request.ts'
import { draftOf } from '../../../records/draft.ts'
import { storeDrafts } from '../../../records/load/store-drafts.ts'
import { packChanged } from '../../../records/packs/packer.ts'
import { type Meter, noMeter } from '../../../telemetry/meter.ts'
import { startEngine } from '../../engine.ts'

const pollMs = 50
const tenant = 'clinic'

/** Lines that come out, in order, by type. */
type Exported = Readonly<Record<string, readonly string[]>>

/** A store with one patient, `p`, and an engine that exports it out of packs or out of versions. */
export async function openPacksAndVersions() {
  const store = await openTestStore()
  const producer = await openProducer(store.pool, () => {})
  const told: string[] = []
  const files = diskStore(join(store.directory, 'files'))
  const log = (event: string) => void told.push(event)
  const sources: Record<string, number> = { packs: 0, chosen: 0, versions: 0 }
  const meter: Meter = {
    ...noMeter,
    count: (name, labels, by = 1) => {
      if (name === 'millrace_export_records_total') sources[labels!.source!]! += by
    },
  }
  const { pool, connection } = store
  const engine = await startEngine({ pool, connection, files, concurrency: 1, log, meter })

  async function put(...records: (object | string)[]): Promise<void> {
    const drafts = records.map((record) => {
      const draft = draftOf(typeof record === 'string' ? record : JSON.stringify(record), [])
      assert.ok('text' in draft)
      return draft
    })
    await storeDrafts(store.pool, tenant, drafts, false, () => {})
  }

  /** The latest change, milliseconds since 1970. */
  async function now(): Promise<number> {
    const { rows } = await store.pool.query<{ at: Date }>('select max(written) as at from record')
    await pause(5)
    return rows[0]!.at.getTime()
  }

  async function exportedLines(more: Partial<ExportRequest>): Promise<Exported> {
    const id = randomUUID()
    const about = { patients: ['p'], filters: {}, base: '', provenance: 'relevant' as const, lenient: false }
    const request = { ...about, types: ['Observation', 'Provenance'], warnings: [], ...more } as ExportRequest
    const job = await packJob({ id, tenant, client: id, url: '', request })
    await transaction(store.pool, (client) => acceptJob(client, producer.enqueue, job))
    for (const source in sources) sources[source] = 0
    for (;;) {
      const state = (await findJob(store.pool, id))!.state
      assert.notEqual(state, 'failed')
      if (state === 'completed') break
      assert.ok(!told.includes('task-failed'), 'no attempt fails')
      await pause(pollMs)
    }
    const parts = 'select path, type from part where job = $1 order by type, partition, number'
    const { rows } = await store.pool.query<{ path: string; type: string }>(parts, [id])
    const lines: Record<string, string[]> = {}
    for (const { path, type } of rows) {
      const text = gunzipSync(await readFile(join(store.directory, 'files', path))).toString()
      lines[type] = [...(lines[type] ?? []), ...text.trimEnd().split('\n')]
    }
    return lines
  }

  /** Of how many records of that export the lines were copied out of packs, chosen out of them, and read as versions. */
  async function sourcesOf(lines: Exported): Promise<Readonly<Record<string, number>>> {
    const records = Object.values(lines).flat().length
    while (sources.packs! + sources.chosen! + sources.versions! < records) await pause(pollMs)
    return { ...sources }
  }

  return {
    store,
    sourcesOf,
    put,
    now,
    exportedLines,
    async exported(more: Partial<ExportRequest>): Promise<Exported> {
      const lines = Object.entries(await exportedLines(more))
      return Object.fromEntries(lines.map(([type, texts]) => [type, texts.map((line) => JSON.parse(line).id)]))
    },
    async pack(): Promise<void> {
      await packChanged(store.pool, { settledMs: 0 }, () => true)
    },
    /** Takes all packs away, until they are made again. */
    async dropPacks(): Promise<void> {
      await store.pool.query('delete from pack')
      await store.pool.query(
        'insert into unpacked (tenant, owner, type) select distinct tenant, owner, type from record on conflict do nothing',
      )
    },
    async close(): Promise<void> {
      await engine.stop()
      await producer.stop()
      await store.close()
    },
  }
}

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import type { Pool } from 'pg'
import { transaction } from '../../src/database/connection.ts'
import { openTestStore, type TestStore } from '../../src/database/store.fixture.ts'
import { startEngine } from '../../src/engine/engine.ts'
import { isCalm } from '../../src/engine/engine-log.ts'
import { allTypes } from '../../src/fhir/resource-types.ts'
import { diskStore } from '../../src/files/disk-store.ts'
import { acceptJob, findJob, packJob, pruneHorizon, startJob } from '../../src/jobs/job.ts'
import { type Liveness, openLiveness } from '../../src/jobs/liveness.ts'
import { insertPartitions, packPartitions } from '../../src/jobs/partition.ts'
import { type Enqueue, openProducer, type Producer } from '../../src/jobs/queue.ts'
import { profiles } from '../../src/protocol/profile.ts'
import type { ExportRequest } from '../../src/protocol/request/export-request.ts'
import { Findings } from '../../src/protocol/request/findings.ts'
import { readElements } from '../../src/protocol/request/output-values.ts'
import { draftOf } from '../../src/records/draft.ts'
import { packChanged } from '../../src/records/packs/packer.ts'
import { pruneVersions } from '../../src/records/prune.ts'
import type { Change } from '../../src/records/write/change.ts'
import { write } from '../../src/records/write/write.ts'
import { type SimulatedChange, simulatedBase } from './changes.ts'
import { Model, type ModelRequest } from './model.ts'

const engineConcurrency = 3
const poolSize = 20
const jobMsMax = 180_000
const pollMs = 5

/** A started export. `time` is its transactionTime, milliseconds since 1970. */
export interface SimulatedJob {
  readonly id: string
  readonly tenant: string
  readonly request: ModelRequest
  readonly time: number
}

/** A tenant and the model of it. */
export interface SimulatedTenant {
  readonly name: string
  readonly model: Model
}

/** The real store, queue and engine in this process, on an embedded PostgreSQL. */
export class Simulation {
  readonly #store: TestStore
  readonly #producer: Producer
  readonly #engine: { readonly stop: () => Promise<void> }
  readonly #planner: Liveness
  /** What the engine complained about. */
  readonly complaints: string[]

  private constructor(
    store: TestStore,
    producer: Producer,
    engine: { readonly stop: () => Promise<void> },
    planner: Liveness,
    complaints: string[],
  ) {
    this.#store = store
    this.#producer = producer
    this.#engine = engine
    this.#planner = planner
    this.complaints = complaints
  }

  static async start(): Promise<Simulation> {
    const store = await openTestStore({ poolSize })
    const { pool, connection, directory } = store
    const complaints: string[] = []
    const complain = (event: string, details: unknown) => {
      if (!isCalm(event)) complaints.push(`${event} ${JSON.stringify(details)}`)
    }
    const producer = await openProducer(pool, (error) => complain('producer', error.message))
    const files = diskStore(join(directory, 'files'))
    const engine = await startEngine({ pool, connection, files, concurrency: engineConcurrency, log: complain })
    const planner = await openLiveness(connection, () => complain('planner', 'lost'))
    return new Simulation(store, producer, engine, planner, complaints)
  }

  async stop(): Promise<void> {
    await this.#engine.stop()
    await this.#planner.close()
    await this.#producer.stop()
    await this.#store.close()
  }

  /** The store itself, for tests that look behind it. */
  get pool(): Pool {
    return this.#store.pool
  }

  /**
   * Sets the store's clock far ahead of the machine's, so that it moves by cuts alone: all writes between two exports get the
   * same time, which is when a mistake of one millisecond shows.
   */
  async stopClock(): Promise<void> {
    await this.pool.query(`select setval('clock', $1)`, [Date.UTC(2100, 0, 1)])
  }

  /** A tenant that no other test knows. */
  newTenant(): SimulatedTenant {
    return { name: `t-${randomUUID()}`, model: new Model(simulatedBase) }
  }

  /** Writes changes through the real store and tells the model what became of them. */
  async write({ name, model }: SimulatedTenant, changes: readonly SimulatedChange[]): Promise<void> {
    const outcomes = await write(this.pool, name, changes.map(changeOf))
    for (const [index, { kind, version, lastUpdated }] of outcomes.entries()) {
      const { type, id, record } = changes[index]!
      assert.equal(lastUpdated === undefined, kind === 'unchanged' || kind === 'absent')
      if (lastUpdated !== undefined) model.add({ type, id, version, written: lastUpdated, record })
    }
  }

  /** Packs whatever has changed, as often as `goOn` says. */
  async pack(goOn: () => boolean = () => false): Promise<void> {
    do {
      await packChanged(this.pool, { settledMs: 0 }, () => true)
    } while (goOn())
  }

  /** Removes the versions that no live job needs. */
  async prune(): Promise<void> {
    const horizon = await transaction(this.pool, pruneHorizon)
    while ((await pruneVersions(this.pool, horizon)) > 0);
  }

  /**
   * Accepts an export for a client of its own. The engine plans it, unless `groups` says which patients form a partition:
   * a plan of its own bounds would put all the few records here into one.
   */
  async startExport(
    tenant: string,
    request: ModelRequest,
    groups?: readonly string[][],
    filters: ExportRequest['filters'] = {},
  ): Promise<SimulatedJob> {
    const id = randomUUID()
    const types = allTypes.filter((type) => request.types.includes(type))
    const { elements: items, deletions, ...asked } = request
    const elements = items && readElements([elementsEntry(items)], types, profiles.hl7, new Findings(false))
    const effective = {
      ...asked,
      ...(elements ? { elements } : {}),
      ...(deletions ? { deletions: types } : {}),
      types,
      filters,
      base: '',
      lenient: false,
      warnings: [],
    }
    const url = `${simulatedBase}/Patient/$export`
    const job = { id, tenant, client: randomUUID(), request: effective, url }
    const enqueue = groups === undefined ? this.#producer.enqueue : this.#claimOnly(id)
    assert.ok(await transaction(this.pool, async (client) => acceptJob(client, enqueue, await packJob(job))))
    if (groups !== undefined) await this.#plan(id, groups)
    const { transactionTime } = (await findJob(this.pool, id))!
    return { id, tenant, request, time: transactionTime.getTime() }
  }

  /** In the place of a task for the engine: the job is born claimed by the planner of the test. */
  #claimOnly(id: string): Enqueue {
    return async (client) => {
      await client.query('update job set planner = $2 where id = $1', [id, this.#planner.worker])
    }
  }

  async #plan(id: string, groups: readonly string[][]): Promise<void> {
    await transaction(this.pool, async (client) => {
      assert.ok(await startJob(client, id, this.#planner.worker))
      const planned = groups.map((owners) => ({ owners, records: 1 }))
      const numbers = await insertPartitions(client, id, 'owners', await packPartitions(planned), 0)
      await this.#producer.enqueue(
        client,
        numbers.map((number) => ({ kind: 'partition', job: id, number })),
      )
    })
  }

  /** Waits until a job has completed. */
  async completed(id: string): Promise<void> {
    const deadline = Date.now() + jobMsMax
    for (;;) {
      const { state } = (await findJob(this.pool, id))!
      if (state === 'completed') return
      assert.ok(['accepted', 'running', 'finishing'].includes(state), `the job is ${state}: ${this.complaints}`)
      assert.ok(Date.now() < deadline, `the job is still ${state}: ${this.complaints}`)
      await sleep(pollMs)
    }
  }

  /** The published parts of a job with their lines. */
  async parts(id: string): Promise<SimulatedPart[]> {
    const { rows } = await this.pool.query(
      `select part.kind, type, path, records, bytes, gzip_bytes as "gzipBytes", partition.kind as partition
       from part join partition on partition.job = part.job and partition.number = part.partition
       where part.job = $1 order by type, part.partition, part.number`,
      [id],
    )
    return Promise.all(
      rows.map(async (row) => {
        const stored = await readFile(join(this.#store.directory, 'files', row.path))
        const text = gunzipSync(stored).toString('utf8')
        assert.equal(stored.length, row.gzipBytes)
        assert.equal(Buffer.byteLength(text), row.bytes)
        assert.ok(text.endsWith('\n'))
        const lines = text.slice(0, -1).split('\n')
        assert.equal(lines.length, row.records)
        return { kind: row.kind, type: row.type, partition: row.partition, lines }
      }),
    )
  }
}

/** A published part. `partition` is the kind of the partition that wrote it. */
export interface SimulatedPart {
  readonly kind: 'output' | 'deleted' | 'error'
  readonly type: string
  readonly partition: 'owners' | 'references'
  readonly lines: readonly string[]
}

const elementsEntry = (items: readonly string[]) => ({
  name: '_elements',
  valueName: 'valueString',
  value: items.join(','),
  at: 'Parameters.parameter[0]',
})

function changeOf({ type, id, record }: SimulatedChange): Change {
  if (record === undefined) return { kind: 'delete', key: { type, id } }
  const draft = draftOf(record.source, [simulatedBase])
  assert.ok(!('fault' in draft))
  return { kind: 'put', draft }
}

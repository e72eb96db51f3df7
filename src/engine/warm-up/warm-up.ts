import { Writable } from 'node:stream'
import type { Pool, PoolConfig } from 'pg'
import { openPool } from '../../database/pool.ts'
import { documentedTypes } from '../../fhir/resource-types.ts'
import type { FileStore } from '../../files/file-store.ts'
import type { Job } from '../../jobs/job.ts'
import { insertPacks } from '../../records/packs/stored-packs.ts'
import { noMeter } from '../../telemetry/meter.ts'
import { exportOwners } from '../partition/export-owners.ts'
import { HeldPartition } from '../partition/held-partition.ts'
import { Selection } from '../partition/selection.ts'
import { madeUpPacks } from './made-up-packs.ts'

/** Patients who are made up, and how often all of them are exported: V8 has compiled what counts after some 20,000 packs. */
const madeUpOwners = 120
const rounds = 12

const tenant = 'made-up'
const owners = Array.from({ length: madeUpOwners }, (_, number) => `made-up-${String(number).padStart(4, '0')}`)

/**
 * Exports made-up patients into nowhere, so that the first export of a thread is as fast as the tenth: until then its code is not compiled.
 * Their packs are in a table of the session alone, which hides the store's: nothing of the store is read or written.
 * @returns how many records were gone through
 */
export async function warmUp(connection: PoolConfig): Promise<number> {
  const pool = openPool(connection, 1)
  try {
    await makeUp(pool)
    let scanned = 0
    for (let round = 0; round < rounds; round++) scanned += await exportMadeUp(pool)
    return scanned
  } finally {
    await pool.end()
  }
}

async function makeUp(pool: Pool): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('create temporary table pack (like pack including defaults including indexes)')
    const [somebody = ''] = owners
    const packs = madeUpPacks(somebody, 0)
    await insertPacks(
      client,
      tenant,
      owners.flatMap((owner) => packs.map((pack) => ({ ...pack, owner }))),
    )
    await client.query('analyze pack')
  } finally {
    client.release()
  }
}

async function exportMadeUp(pool: Pool): Promise<number> {
  const giveWay = () => undefined
  const held = new HeldPartition({ pool: heldPool, giveWay }, partition)
  try {
    await exportOwners(new Selection({ pool, files: nowhere, giveWay, tell: () => {}, meter: noMeter }, job, held))
    return held.scanned
  } finally {
    await held.stop()
  }
}

/** A partition that nobody else knows of stays held, whatever is asked. */
const heldPool = { query: async () => ({ rowCount: 1, rows: [] }) } as unknown as Pool

const partition = {
  ...{ job: '00000000-0000-0000-0000-000000000000', number: 0, kind: 'owners' as const },
  ...{ owners, attempt: 1, tries: 1, again: false },
}

const job: Job = {
  ...{ id: partition.job, tenant, client: tenant, state: 'running', url: '' },
  request: { types: documentedTypes, filters: {}, base: '', provenance: 'relevant', lenient: false },
  ...{ transactionTime: new Date(1), created: new Date(1), started: null, expires: null, failure: null },
}

/** Takes all, and keeps nothing. */
const nowhere: FileStore = {
  lacksRoom: async () => false,
  isWritable: async () => true,
  create: async () => new Writable({ write: (_chunk, _encoding, done) => done() }),
  read: () => Promise.reject(new Error('nothing is kept')),
  removeAttempt: async () => {},
  keepOnly: async () => {},
  jobs: async () => [],
  removeJob: async () => {},
}

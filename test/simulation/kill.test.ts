import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { access, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Random } from '../../src/population/random.ts'
import { TestServer } from '../server.ts'
import { heavyRecords, keyOf, patientIds, store } from './heavy-records.ts'
import { filesOf, idOf, PatientClient, until } from './patient-client.ts'

/** The embedded database is not brought back more than five times within a minute, so it is killed in few rounds. */
const databaseKills: ReadonlySet<number> = new Set([3, 8, 13])
const exports = 20
const packings = 4
const loads = 4
const databaseKillOfLoads = 3
const warmUps = 2

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const seed = randomInt(2 ** 31)
const random = new Random(seed)

const patients = patientIds(60)
const lines = [...heavyRecords(patients, 80)]
const loaded = new Set(lines.map(keyOf))

describe('a server that is killed at any moment', () => {
  let server: TestServer
  let client: PatientClient

  before(async () => {
    server = await TestServer.start()
    await server.addTenant('clinic')
    await store(server, 'clinic', lines)
    client = new PatientClient(server, 'clinic', await server.token(await server.addClient('clinic')))
  })
  after(() => server.stop())

  /** Kicks off, and has a new place for it: the job before has left it. */
  async function kickOff(): Promise<string> {
    const { status, job } = await client.kickOff(patients)
    assert.equal(status, 202, 'the place of the client is free')
    return job
  }

  /** Everything that was loaded, each record once, and nothing published that the manifest does not name. */
  async function checkFinished(job: string): Promise<void> {
    const { output, error } = await client.finished(job)
    assert.deepEqual(error, [])
    const seen = new Set<string>()
    for (const file of output) {
      const keys = (await client.lines(file)).map(keyOf)
      assert.equal(keys.length, file.count)
      for (const key of keys) {
        assert.ok(!seen.has(key), `${key} is exported twice`)
        seen.add(key)
      }
    }
    assert.deepEqual([...loaded.difference(seen)], [], 'nothing is missing')
    assert.deepEqual([...seen.difference(loaded)], [], 'nothing is added')
    const { rows } = await server.pool.query<{ path: string }>('select path from part where job = $1', [idOf(job)])
    assert.equal(rows.length, output.length)
    for (const { path } of rows) await access(join(await server.filesFolder(), path))
  }

  /** The job and its files go. */
  async function remove(job: string): Promise<void> {
    assert.equal(await client.status('DELETE', job), 202)
    assert.equal(await client.status('GET', job), 404)
    await until(async () => (await filesOf(server, job)).length === 0, 'the files of the job are gone')
  }

  async function undisturbedMs(): Promise<number> {
    const began = performance.now()
    const job = await kickOff()
    await client.finished(job)
    const ms = performance.now() - began
    await checkFinished(job)
    await remove(job)
    return ms
  }

  /** With packs an export copies them, without it reads versions. */
  async function packOrNot(packs: boolean): Promise<void> {
    if (packs) await until(async () => (await exited(startPacking(server))) === 0, 'everything is packed')
    // Without marks, too: the server would pack again what a packer that was killed has left.
    else await server.pool.query('truncate pack, unpacked')
    const { rows } = await server.pool.query('select count(*)::int as count from pack')
    assert.equal(rows[0].count > 0, packs)
  }

  it('leaves packs that are right or none, when packing is killed', async (t) => {
    for (let round = 0; round < packings; round++) {
      await packOrNot(true)
      const began = performance.now()
      const packing = startPacking(server)
      await until(async () => (await countMarks(server)) > 0 || packing.exitCode !== null, 'packs are dropped')
      await sleep(random.integer(0, 400))
      packing.kill('SIGKILL')
      await exited(packing)
      const left = await countMarks(server)
      t.diagnostic(`packing killed after ${Math.round(performance.now() - began)} ms; ${left} were not packed yet`)
      const job = await kickOff()
      await checkFinished(job)
      await remove(job)
    }
  })

  it('completes every export, with no record twice or missing (T-187)', async (t) => {
    const exportMs = [0, 0]
    for (const packs of [0, 1]) {
      await packOrNot(packs === 1)
      for (let count = 0; count < warmUps; count++) exportMs[packs] = await undisturbedMs()
    }
    t.diagnostic(`seed ${seed}; an undisturbed export takes ${exportMs.map(Math.round)} ms without and with packs`)
    for (let round = 0; round < exports; round++) {
      await packOrNot(round % 2 === 1)
      const job = await kickOff()
      const delayMs = random.integer(0, Math.round(exportMs[round % 2]!))
      await sleep(delayMs)
      const began = performance.now()
      const killed = await strike(server, round)
      const backMs = performance.now() - began
      await client.finished(job)
      const doneMs = performance.now() - began
      t.diagnostic(
        `${killed} killed after ${delayMs} ms: back after ${Math.round(backMs)} ms, complete after ${Math.round(doneMs)} ms`,
      )
      await checkFinished(job)
      await remove(job)
    }
  })

  it('is loaded completely by loading again, when a load was killed', async (t) => {
    const file = join(server.directory, 'records.ndjson')
    await writeFile(file, `${lines.join('\n')}\n`)
    for (let round = 0; round < loads; round++) {
      const tenant = `load-${round}`
      await server.addTenant(tenant)
      const before = await killLoad(tenant, file, round === databaseKillOfLoads)
      t.diagnostic(`seed ${seed}: ${before} of ${loaded.size} records were there`)
      const again = startLoad(server, tenant, file)
      await exited(again)
      assert.equal(again.exitCode, 0)
      assert.deepEqual((await storedKeys(server, tenant)).sort(), [...loaded].sort())
    }
  })

  /** Kills a load, or its database, once some number of records has arrived. @returns how many were there in the end */
  async function killLoad(tenant: string, file: string, database: boolean): Promise<number> {
    const load = startLoad(server, tenant, file)
    const enough = random.integer(1, Math.round(loaded.size / 2))
    await until(async () => (await storedKeys(server, tenant)).length >= enough, `${enough} records are loaded`)
    if (database) killPostmaster(server.directory)
    else load.kill('SIGKILL')
    await exited(load)
    let count = 0
    await until(async () => {
      count = await storedKeys(server, tenant).then(
        (keys) => keys.length,
        () => -1,
      )
      return count >= 0
    }, 'the database answers')
    return count
  }
})

/** Kills the server, its database, or both, and starts the server again. */
async function strike(server: TestServer, round: number): Promise<string> {
  const database = databaseKills.has(round)
  const program = !database || round % 2 === 0
  if (database) killPostmaster(server.directory)
  if (program) {
    await server.kill('SIGKILL')
    await server.spawn()
  }
  return database ? (program ? 'database and server' : 'database') : 'server'
}

function killPostmaster(directory: string): void {
  const [pid] = readFileSync(join(directory, 'postgres', 'postmaster.pid'), 'utf8').split('\n')
  process.kill(Number(pid), 'SIGKILL')
}

function startLoad(server: TestServer, tenant: string, file: string): ChildProcess {
  const arguments_ = [program, 'load', '--data', server.directory, '--tenant', tenant, file, '--json']
  return spawn(process.execPath, arguments_, { stdio: 'ignore' })
}

function startPacking(server: TestServer): ChildProcess {
  return spawn(process.execPath, [program, 'pack', '--data', server.directory, '--rebuild'], { stdio: 'ignore' })
}

/** How many owners and types wait for the packer. */
async function countMarks(server: TestServer): Promise<number> {
  return (await server.pool.query('select count(*)::int as count from unpacked')).rows[0].count
}

async function exited(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode
}

/** The records of a tenant. Each is there once and in its first version: loading again changes nothing that was loaded. */
async function storedKeys(server: TestServer, tenant: string): Promise<string[]> {
  const sql = `select type || '/' || id as key, version, superseded = 'infinity' as current from record where tenant = $1 and lead`
  const { rows } = await server.pool.query(sql, [tenant])
  const current = rows.filter((row) => row.current)
  assert.ok(rows.every((row) => row.version === 1))
  assert.equal(new Set(current.map((row) => row.key)).size, current.length)
  return current.map((row) => row.key)
}

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { DatabaseEvent } from '../event.ts'
import {
  draftsIn,
  ended,
  open,
  prepared,
  processOf,
  program,
  query,
  scratch,
  serverOf,
  supervisorsOf,
  until,
} from './embedded.fixture.ts'

const triesMax = 20

test('the server ends with a program that is killed', async (t) => {
  const directory = await prepared(t)
  const killed = program(t, directory)
  await killed.next('ready')
  await killed.kill()
  await ended(directory)
  assert.equal(existsSync(join(directory, 'postgres', 'postmaster.pid')), false, 'it was stopped cleanly')
})

test('a server outlives no program that is killed while it starts', async (t) => {
  const directory = await prepared(t)
  const killed = program(t, directory)
  await killed.next('database-starting')
  await until(() => supervisorsOf(directory).length > 0, 'the supervisor is there')
  await killed.kill()
  await ended(directory)
})

test('a server that recovers from the death of one of its processes ends with the last program', async (t) => {
  const directory = await prepared(t)
  const { killed } = await killedWhileRecovering(t, directory)
  await killed.kill()
  await ended(directory)
  const server = await open(t, directory)
  assert.deepEqual((await query(server.connection, 'select count(*)::int from kept')).rows, [{ count: 20_000 }])
  await server.release()
})

test('a server that stops for ever and lost its supervisor is ended by the next program, which says what it waits for', async (t) => {
  const { directory, killed, server: stuck } = await stoppingForEver(t)
  for (const pid of supervisorsOf(directory)) process.kill(pid, 'SIGKILL')
  await killed.kill()
  const told: DatabaseEvent[] = []
  const server = await open(t, directory, (event) => told.push(event))
  assert.notEqual(serverOf(directory), stuck)
  const events = told.map(({ event }) => event)
  assert.ok(events.indexOf('database-waiting') < events.indexOf('database-ending'), 'it says why it waits')
  assert.ok(told.some((event) => event.event === 'database-waiting' && /it stops/.test(event.reason)))
  assert.ok(
    told.some((event) => event.event === 'database-ending' && event.pid === stuck && event.signal === 'SIGQUIT'),
  )
  assert.deepEqual((await query(server.connection, 'select count(*)::int from kept')).rows, [{ count: 20_000 }])
  await server.release()
})

/** A program whose server has just lost one of its processes, and recovers. */
async function killedWhileRecovering(t: TestContext, directory: string) {
  const killed = program(t, directory)
  const { connection } = await killed.next('ready')
  await query(connection, `create table kept as select n, repeat('x', 200) from generate_series(1, 20000) n`)
  const server = serverOf(directory)
  process.kill(processOf(server, 'walwriter'), 'SIGKILL')
  await logged(directory, /terminating any other active server processes/)
  return { killed, server }
}

/** A server that is told to stop when it has begun to recover, and before it reads its log: it never ends. Who comes too late tries again. */
async function stoppingForEver(t: TestContext) {
  for (let tries = 1; tries <= triesMax; tries += 1) {
    const directory = await prepared(t)
    const { killed, server } = await killedWhileRecovering(t, directory)
    await logged(directory, /database system was interrupted/)
    process.kill(server, 'SIGINT')
    const log = await logged(directory, /received fast shutdown request/)
    if (!/redo starts[\s\S]*received fast shutdown request/.test(log)) return { directory, killed, server }
    await killed.kill()
  }
  throw new Error('the server was never told to stop in time')
}

/** Waits until the server has logged something. */
async function logged(directory: string, text: RegExp): Promise<string> {
  const log = () => readFileSync(join(directory, 'postgres.log'), 'utf8')
  await until(() => text.test(log()), `the server says ${text}`)
  return log()
}

test('a killed server is brought back with what was committed, for every program', async (t) => {
  const directory = await prepared(t)
  const programs = [program(t, directory), program(t, directory)]
  const [ready] = await Promise.all(programs.map((each) => each.next('ready')))
  await query(ready?.connection, 'create table kept (n int); insert into kept values (7)')
  const killed = serverOf(directory)
  process.kill(killed, 'SIGKILL')
  // One of them notices first and starts the new server; the other may not even notice.
  await Promise.race(programs.map((each) => each.next('database-lost').then(() => each.next('database-ready'))))
  assert.notEqual(serverOf(directory), killed)
  const { rows } = await query(ready?.connection, 'select n from kept')
  assert.deepEqual(rows, [{ n: 7 }])
  await Promise.all(programs.map((each) => each.release()))
  await ended(directory)
})

test('a start after server and program were killed together recovers what was committed', async (t) => {
  const directory = await prepared(t)
  const killed = program(t, directory)
  const { connection } = await killed.next('ready')
  await query(connection, 'create table kept (n int); insert into kept values (7)')
  process.kill(serverOf(directory), 'SIGKILL')
  await killed.kill()
  const server = await open(t, directory)
  assert.deepEqual((await query(server.connection, 'select n from kept')).rows, [{ n: 7 }])
  await server.release()
})

test('a server whose supervisor was killed keeps running, gets a new one and ends with the program', async (t) => {
  const directory = await prepared(t)
  const holder = program(t, directory)
  await holder.next('ready')
  const server = serverOf(directory)
  for (const pid of supervisorsOf(directory)) process.kill(pid, 'SIGKILL')
  await holder.next('database-adopting')
  await holder.next('database-ready')
  assert.equal(serverOf(directory), server)
  await holder.kill()
  await ended(directory)
})

test('a server that lost its supervisor and its program is adopted by the next program', async (t) => {
  const directory = await prepared(t)
  const killed = program(t, directory)
  await killed.next('ready')
  const orphan = serverOf(directory)
  for (const pid of supervisorsOf(directory)) process.kill(pid, 'SIGKILL')
  await killed.kill()
  const events: string[] = []
  const server = await open(t, directory, ({ event }) => events.push(event))
  assert.deepEqual(events, ['database-adopting', 'database-ready'])
  assert.equal(serverOf(directory), orphan)
  await server.release()
})

test('a program killed while it makes the database blocks nobody, and what it left is removed', async (t) => {
  const directory = scratch(t)
  const killed = program(t, directory)
  await until(() => existsSync(directory) && draftsIn(directory).length > 0, 'the database is being made')
  await killed.kill()
  assert.equal(existsSync(join(directory, 'postgres')), false)
  await ended(directory)
  const server = await open(t, directory)
  assert.deepEqual(draftsIn(directory), [])
  await server.release()
})

test('lock files of a dead server do not block when their process number is in use again', async (t) => {
  const directory = await prepared(t)
  const killed = program(t, directory)
  await killed.next('ready')
  process.kill(serverOf(directory), 'SIGKILL')
  await killed.kill()
  await ended(directory)
  for (const path of ['postgres/postmaster.pid', 'socket/.s.PGSQL.5432.lock']) {
    const [, ...rest] = (await readFile(join(directory, path), 'utf8')).split('\n')
    await writeFile(join(directory, path), [process.pid, ...rest].join('\n'))
  }
  const server = await open(t, directory)
  assert.equal((await query(server.connection, 'select 1')).rowCount, 1)
  await server.release()
})

test('a draft of a living program is left alone', async (t) => {
  const directory = scratch(t)
  const draft = `postgres.new-${process.ppid}-abc123`
  await mkdir(join(directory, draft), { recursive: true })
  const server = await open(t, directory)
  assert.deepEqual(draftsIn(directory), [draft])
  await server.release()
})

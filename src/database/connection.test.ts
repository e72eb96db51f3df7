import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type Database, openDatabase, openPool, transaction } from './connection.ts'
import { openStore, prepared } from './embedded/embedded.fixture.ts'
import type { DatabaseEvent } from './event.ts'

const externalUrl = process.env.MILLRACE_TEST_DATABASE_URL
const quiet = () => {}

/** Ends the server processes of a pool's idle connections and waits until the pool has noticed. */
async function cutIdle(database: Database): Promise<void> {
  const client = await database.pool.connect()
  const noticed = new Promise((resolve) => database.pool.once('remove', resolve))
  await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'millrace' and pid <> pg_backend_pid()`)
  await noticed
  client.release()
}

test('the embedded store opens as a pool, and its connection serves other pools as plain data', async (t) => {
  const database = await openStore(t, await prepared(t))
  assert.equal(database.embedded, true)
  const ask = `select 9007199254740991::int8 as safe, 9007199254740993::int8 as big, timestamptz '2024-02-29T12:00:00Z' as at,
    current_setting('search_path') as path, current_setting('application_name') as name`
  const { rows } = await database.pool.query(ask)
  const at = new Date('2024-02-29T12:00:00Z')
  const expected = { safe: 9007199254740991, big: 9007199254740993n, at, path: 'millrace', name: 'millrace' }
  assert.deepEqual(rows, [expected])
  const pool = openPool(structuredClone(database.connection), 1)
  assert.deepEqual((await pool.query(ask)).rows, [expected])
  await pool.end()
})

test('an idle connection that is cut is logged and replaced; a busy one rejects its query', async (t) => {
  const events: DatabaseEvent[] = []
  const database = await openStore(t, await prepared(t), (event) => events.push(event))
  await Promise.all([database.pool.query('select 1'), database.pool.query('select pg_sleep(0.01)')])
  await cutIdle(database)
  assert.ok(events.some(({ event }) => event === 'connection-lost'))
  assert.equal((await database.pool.query('select 1')).rowCount, 1)
  await assert.rejects(database.pool.query('select pg_terminate_backend(pg_backend_pid())'), { code: '57P01' })
  assert.equal((await database.pool.query('select 1')).rowCount, 1)
})

test('a transaction commits what it did, or nothing, and gives its connection back', async (t) => {
  const database = await openStore(t, await prepared(t))
  const { pool } = database
  await pool.query('create schema millrace; create table number (n int primary key)')
  const count = async () => (await pool.query('select count(*) from number')).rows[0].count
  assert.equal(
    await transaction(pool, async (client) => (await client.query('insert into number values (1)')).rowCount),
    1,
  )
  assert.equal(await count(), 1)
  const fails = transaction(pool, async (client) => {
    await client.query('insert into number values (2)')
    await client.query('insert into number values (1)')
  })
  await assert.rejects(fails, { code: '23505' })
  assert.equal(await count(), 1)
  const throws = transaction(pool, async (client) => {
    await client.query('insert into number values (3)')
    throw new RangeError('changed my mind')
  })
  await assert.rejects(throws, RangeError)
  assert.equal(await count(), 1)
  assert.equal(pool.idleCount, pool.totalCount)
})

test('a transaction whose connection dies rejects, and the dead connection does not go back to the pool', async (t) => {
  const database = await openStore(t, await prepared(t))
  const dies = transaction(database.pool, async (client) => {
    await client.query('select pg_terminate_backend(pg_backend_pid())')
  })
  await assert.rejects(dies, { code: '57P01' })
  assert.equal(database.pool.totalCount, 0)
  assert.equal((await database.pool.query('select 1')).rowCount, 1)
})

/** A server that speaks just enough of the protocol to claim a version. */
async function pretend(t: TestContext, version: number): Promise<string> {
  const server = createServer((socket) => {
    const row = Buffer.from(String(version))
    const column = Buffer.from('version\0')
    socket.once('data', () => {
      socket.write(Buffer.concat([message('R', int32(0)), message('Z', Buffer.from('I'))]))
      socket.on('data', (data) => {
        if (data[0] !== 'Q'.charCodeAt(0)) return
        const field = Buffer.concat([int16(1), column, int32(0), int16(0), int32(23), int16(4), int32(-1), int16(0)])
        const value = Buffer.concat([int16(1), int32(row.length), row])
        const done = [message('C', Buffer.from('SELECT 1\0')), message('Z', Buffer.from('I'))]
        socket.write(Buffer.concat([message('T', field), message('D', value), ...done]))
      })
    })
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `postgresql://someone:s3cret@127.0.0.1:${(server.address() as AddressInfo).port}/millrace`
}

const int16 = (value: number) => Buffer.from(Int16Array.of(value).buffer).swap16()
const int32 = (value: number) => Buffer.from(Int32Array.of(value).buffer).swap32()
const message = (type: string, body: Buffer) => Buffer.concat([Buffer.from(type), int32(body.length + 4), body])

test('a server older than PostgreSQL 15 is refused', async (t) => {
  const url = await pretend(t, 14)
  await assert.rejects(openDatabase({ kind: 'external', url }, { log: quiet }), {
    name: 'Failure',
    message: 'The database is PostgreSQL 14; Millrace needs 15 or newer.',
  })
})

test('a URL that cannot be used is a failure with host and reason and without the password', async () => {
  const refused = { kind: 'external', url: 'postgresql://someone:s3cret@127.0.0.1:1/millrace' } as const
  await assert.rejects(openDatabase(refused, { log: quiet }), {
    name: 'Failure',
    message: /^The database at 127\.0\.0\.1:1 cannot be used: .*ECONNREFUSED/,
  })
  const unreadable = { kind: 'external', url: 'postgresql://someone:s3#cret@host:99999/millrace' } as const
  await assert.rejects(openDatabase(unreadable, { log: quiet }), (error) => {
    assert.ok(error instanceof Error)
    assert.doesNotMatch(`${error.message} ${error.cause}`, /s3/)
    return true
  })
  const url = 'postgresql://someone:s3cret@127.0.0.1:1/millrace?sslmode=verify-full&sslrootcert=/not-there.pem'
  await assert.rejects(openDatabase({ kind: 'external', url }, { log: quiet }), {
    name: 'Failure',
    message: "The URL of the database cannot be used: ENOENT: no such file or directory, open '/not-there.pem'.",
  })
})

test('an external PostgreSQL is used as it is', {
  skip: externalUrl ? false : 'SKIPPED: MILLRACE_TEST_DATABASE_URL is not set',
}, async () => {
  const url = new URL(externalUrl ?? '')
  url.searchParams.set('options', '-c work_mem=5MB')
  for (const each of [externalUrl ?? '', url.href]) {
    const database = await openDatabase({ kind: 'external', url: each }, { log: quiet })
    assert.equal(database.embedded, false)
    const { rows } = await database.pool.query(
      `select current_setting('search_path') as path, current_setting('work_mem') as memory`,
    )
    assert.equal(rows[0].path, 'millrace')
    if (each === url.href) assert.equal(rows[0].memory, '5MB')
    await database.close()
  }
})

import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { Failure } from '../../failure.ts'
import { prepareDataDirectory } from './data-directory.ts'
import { draftsIn, ended, open, prepared, program, query, scratch, serverOf } from './embedded.fixture.ts'
import { startEmbedded } from './embedded.ts'

const mode = (path: string) => statSync(path).mode & 0o777
const quiet = () => {}

test('the first start makes a private PostgreSQL 18 with the database millrace, and the release stops it', async (t) => {
  const directory = scratch(t)
  const events: string[] = []
  const server = await open(t, directory, ({ event }) => events.push(event))
  assert.deepEqual(events, ['database-creating', 'database-starting', 'database-ready'])
  assert.deepEqual(server.connection, {
    host: join(directory, 'socket'),
    port: 5432,
    user: 'millrace',
    database: 'millrace',
  })
  const settings = `select current_setting('server_version_num')::int / 10000 as version, current_setting('fsync') as fsync,
    current_setting('listen_addresses') as listen, datcollate, pg_encoding_to_char(encoding) as encoding
    from pg_database where datname = current_database()`
  const { rows } = await query(server.connection, settings)
  assert.deepEqual(rows, [{ version: 18, fsync: 'on', listen: '', datcollate: 'C', encoding: 'UTF8' }])
  for (const name of ['', 'postgres', 'socket']) assert.equal(mode(join(directory, name)), 0o700, name)
  for (const name of ['hold', 'postgres.log']) assert.equal(mode(join(directory, name)), 0o600, name)
  await server.release()
  assert.equal(existsSync(join(directory, 'postgres', 'postmaster.pid')), false)
})

for (const mode of [0o770, 0o702, 0o777, 0o1777]) {
  test(`a data directory that others can write to (${mode.toString(8)}) is refused with advice, and what lies inside it is not`, async (t) => {
    const directory = scratch(t)
    mkdirSync(directory)
    chmodSync(directory, mode)
    await assert.rejects(startEmbedded(directory, quiet), (error) => {
      assert.ok(error instanceof Failure)
      assert.match(error.message, new RegExp(`mode 0*${mode.toString(8)}`))
      assert.match(error.advice, /chmod go-w .*--data .*millrace/)
      return true
    })
    assert.deepEqual(readdirSync(directory), [])
    assert.equal(statSync(prepareDataDirectory(join(directory, 'millrace')).root).mode & 0o777, 0o700)
  })
}

for (const survivor of ['second', 'first'] as const) {
  test(`two programs share one server; the ${survivor} goes on when the other ends, and takes the server with it`, async (t) => {
    const directory = await prepared(t)
    const first = program(t, directory)
    const { connection } = await first.next('ready')
    const server = serverOf(directory)
    const second = program(t, directory)
    await second.next('ready')
    assert.equal(serverOf(directory), server)
    const [leaves, stays] = survivor === 'second' ? [first, second] : [second, first]
    await leaves.release()
    assert.equal(serverOf(directory), server)
    assert.equal((await query(connection, 'select 1')).rowCount, 1)
    await stays.release()
    await ended(directory)
  })
}

test('two programs that start at once in an empty directory get the same new server', async (t) => {
  const directory = scratch(t)
  const programs = [program(t, directory), program(t, directory)]
  const [one, two] = await Promise.all(programs.map((each) => each.next('ready')))
  assert.deepEqual(one?.connection, two?.connection)
  await query(one?.connection, 'create table shared (n int)')
  await query(two?.connection, 'insert into shared values (1)')
  assert.deepEqual(draftsIn(directory), [])
  await Promise.all(programs.map((each) => each.release()))
  await ended(directory)
})

test('programs that start while the last one is ending get a server each time', async (t) => {
  const directory = await prepared(t)
  for (let round = 0; round < 5; round += 1) {
    const leaving = program(t, directory)
    await leaving.next('ready')
    const coming = program(t, directory)
    await leaving.kill()
    const { connection } = await coming.next('ready')
    await coming.kill()
    assert.ok(connection)
  }
})

test('a path longer than a socket may have gets a short private socket directory', async (t) => {
  const directory = await prepared(t, 'long'.repeat(40))
  const server = await open(t, directory)
  assert.match(server.connection.host, /^\/tmp\/millrace-\d+-[0-9a-f]{16}$/)
  assert.equal(mode(server.connection.host), 0o700)
  assert.equal((await query(server.connection, 'select 1')).rowCount, 1)
})

test('a path with blanks, quotes, commas and a dollar works', async (t) => {
  const directory = await prepared(t, `it's "a", $HOME \`b\` dir`)
  const server = await open(t, directory)
  assert.equal(server.connection.host, join(directory, 'socket'))
  assert.equal((await query(server.connection, 'select 1')).rowCount, 1)
  await server.release()
})

test('a new database is made under a path with blanks and quotes', async (t) => {
  const directory = scratch(t, `it's "a" $HOME dir`)
  const server = await open(t, directory)
  assert.equal((await query(server.connection, 'select 1')).rowCount, 1)
  await server.release()
})

test('a server that cannot start is a failure that quotes its log', async (t) => {
  const directory = await prepared(t)
  await rm(join(directory, 'postgres', 'global', 'pg_control'))
  await assert.rejects(startEmbedded(directory, quiet), (error) => {
    assert.ok(error instanceof Failure)
    assert.match(error.message, /does not start[\s\S]*could not find the database system/)
    assert.match(error.advice, /--database-url/)
    return true
  })
  await ended(directory)
})

test('a cluster of another major version, or something else in its place, is refused', async (t) => {
  const directory = scratch(t)
  const cluster = join(directory, 'postgres')
  await mkdir(cluster, { recursive: true })
  await writeFile(join(cluster, 'PG_VERSION'), '17\n')
  await assert.rejects(startEmbedded(directory, quiet), { name: 'Failure', message: /made by PostgreSQL 17/ })
  await rm(join(cluster, 'PG_VERSION'))
  await writeFile(join(cluster, 'notes.txt'), '')
  await assert.rejects(startEmbedded(directory, quiet), { name: 'Failure', message: /is in the way/ })
  assert.deepEqual(draftsIn(directory), [])
})

test('a data directory that cannot be made is a failure', async (t) => {
  const directory = scratch(t)
  await mkdir(dirname(directory), { recursive: true })
  await writeFile(directory, '')
  await assert.rejects(startEmbedded(directory, quiet), { name: 'Failure', message: /cannot be used: EEXIST/ })
})

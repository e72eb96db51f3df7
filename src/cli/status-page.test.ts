import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { certificateOne } from '../../test/certificates.ts'
import { parsePage, sumOf } from '../../test/prometheus-text.ts'
import { TestServer } from '../../test/server.ts'
import { statusCommand } from './status-page.ts'

let server: TestServer

before(async () => {
  server = await TestServer.start(['--workers', '1'])
})
after(() => server.stop())

const run = (...line: string[]) => runWith({}, ...line)

async function runWith(
  environment: Readonly<Record<string, string>>,
  ...line: string[]
): Promise<{ readonly text: string; readonly code: number | string | undefined }> {
  const written: string[] = []
  const output = { write: (text: string) => written.push(text) }
  process.exitCode = undefined
  await statusCommand({ MILLRACE_DATA: server.directory, ...environment }, output).parseAsync(line, { from: 'user' })
  const code = process.exitCode
  process.exitCode = undefined
  return { text: written.join(''), code }
}

test('of a store that is served all is well, and it is one page', async () => {
  const { text, code } = await run()
  assert.equal(code, undefined)
  assert.match(text, /^STATUS +all is well\n/)
  for (const line of [
    `store +${server.directory}, [0-9a-f-]{36}`,
    `server +${server.url} is ready`,
    'workers +1 alive',
    'exports +none',
    'queue +0 partitions wait, 0 run; the oldest has waited 0 s; 0 tasks are ready, 0 at work',
    'packs +about 0; 0 to be made',
    'connections +\\d+ of \\d+ open; the database has \\d+\\.\\d MiB',
    'database +PostgreSQL \\d+\\.\\d+, all migrations made',
    'disk of files +\\d+\\.\\d [GT]iB free at .+/files/',
    'disk of data +\\d+\\.\\d [GT]iB free at ',
  ])
    assert.match(text, new RegExp(`^${line}`, 'm'))
  assert.doesNotMatch(text, /^certificate|^!/m)
})

test('--json has the same', async () => {
  const { text } = await run('--json')
  const { problems, figures, server: told, migrations, disks } = JSON.parse(text)
  assert.deepEqual([problems, migrations], [[], { missing: [], unknown: [] }])
  assert.deepEqual(told, { url: server.url, readiness: { status: 'ok', ready: true } })
  assert.deepEqual([figures.workers, figures.jobs.running, disks.length], [1, 0, 2])
})

test('what is wrong stands at the end, and the exit code says so', async () => {
  const { text, code } = await run('--server', 'http://127.0.0.1:1', '--free-disk', '1000T')
  assert.equal(code, 1)
  assert.match(text, /^STATUS +3 to look at\n/)
  assert.match(text, /^! no server answers at http:\/\/127\.0\.0\.1:1: ECONNREFUSED\n/m)
  assert.equal(text.match(/^! too little disk is free for exports in /gm)?.length, 2)
})

test('figures that a lock withholds are told, and all else is on the page', async () => {
  const holder = await server.pool.connect()
  await holder.query('begin; lock table job in access exclusive mode')
  const { text, code } = await run()
  await holder.query('rollback')
  holder.release()
  assert.equal(code, 1)
  assert.match(text, /^! figures cannot be had in time: /m)
  assert.match(text, /^server .* is ready$/m)
})

test('a disk that cannot be looked at is told', async () => {
  const { text } = await run('--files', '/dev/null/files')
  assert.match(text, /^! the disk of files cannot be looked at: ENOTDIR/m)
  assert.match(text, /^disk of data /m)
})

test('files in S3 have no disk, and no floor', async () => {
  const { text } = await runWith({ MILLRACE_FILES: 's3://bucket/files' }, '--free-disk', '1000T')
  assert.match(text, /^STATUS +all is well\n/)
  assert.doesNotMatch(text, /^disk of files/m)
})

test('a URL may end with a slash; what is none, and a size that is none, are failures', async () => {
  assert.match((await run('--server', `${server.url}/`)).text, /^server .* is ready$/m)
  for (const url of ['127.0.0.1:8080', 'localhost:8080'])
    await assert.rejects(run('--server', url), { name: 'Failure', message: '--server is not the URL of a server.' })
  await assert.rejects(runWith({ MILLRACE_FREE_DISK: '1GB' }), { name: 'Failure', message: /MILLRACE_FREE_DISK/ })
})

test('a store of an older or newer program is shown, and left as it is', async () => {
  const { pool } = server
  const last = `delete from migration where name = (select max(name) from migration) returning name`
  const { rows } = await pool.query<{ name: string }>(last)
  const older = await run()
  assert.match(older.text, new RegExp(`migrations missing: ${rows[0]!.name}$`, 'm'))
  assert.equal(older.code, 1)
  await pool.query('insert into migration (name) values ($1), ($2)', [rows[0]!.name, '999-of-tomorrow'])
  const newer = await run()
  await pool.query(`delete from migration where name = '999-of-tomorrow'`)
  assert.match(newer.text, /^! a newer Millrace has migrated the store: use that version$/m)
})

test('of a server with TLS it tells until when the certificate is valid, and so do the metrics', async () => {
  await server.kill('SIGTERM')
  const stopped = await run()
  assert.match(stopped.text, /does not answer \(ECONNREFUSED\)$/m)
  assert.doesNotMatch(stopped.text, /no worker/)
  const [cert, key] = [join(server.directory, 'tls.crt'), join(server.directory, 'tls.key')]
  await writeFile(cert, certificateOne.cert)
  await writeFile(key, certificateOne.key)
  await server.spawn(['--tls-cert', cert, '--tls-key', key, '--workers', '1', '--metrics', '127.0.0.1:0'])
  const { text, code } = await run()
  assert.equal(code, undefined, text)
  assert.match(text, /^certificate +valid until 2126-/m)
  const page = parsePage(await (await fetch(await server.metricsUrl())).text())
  const expiry = sumOf(page, 'millrace_certificate_expiry_timestamp_seconds')!
  assert.equal(new Date(expiry * 1000).getUTCFullYear(), 2126)
})

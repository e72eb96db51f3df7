import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { exportScript, filePath, kickOffPath, sizeReached, startExport } from '../export.fixture.ts'
import { attemptsMax, awaitedMsMax, barrenAttemptsMax } from '../limits.ts'
import { type Act, bare, brokenAfter, bytes, jobPath, json, ndjson, rest } from '../scripted-server.fixture.ts'

const ids = Array.from({ length: 500 }, (_, index) => `goal-${(index * 7919) % 500}`)
const goals = ndjson('Goal', ids)
const plain = Buffer.from(goals)
const packed = gzipSync(goals)
const gzip = { 'content-encoding': 'gzip' }
const tagged = { ...gzip, etag: '"g1"' }

/** Sends the first 700 bytes of a file of Goals and breaks the connection when they are in its part. */
const broken = (directory: string, body: Buffer, headers: Record<string, string>): Act =>
  brokenAfter(700, body, headers, (bytes) => sizeReached(join(directory, 'Goal.1.ndjson.part'), bytes))

const goalsBy = (...act: Act[]) => exportScript([{ type: 'Goal', act }])

test('T-174: the redirect of a file is followed without the token, even at the same origin', async (context) => {
  const store = await startExport(context, { 'GET /signed': bytes(packed, gzip) })
  const script = exportScript(
    [
      { type: 'Goal', act: bare(307, { location: `${store.server.origin}/signed?signature=s` }) },
      { type: 'Patient', act: bare(307, { location: '/signed/2' }) },
    ],
    { 'GET /signed/2': bytes(ndjson('Patient', ['1'])) },
  )
  const { server, run } = await startExport(context, script)
  await run()
  assert.equal(server.seen(filePath(1))[0]?.headers.authorization, 'Bearer token-1')
  assert.deepEqual(
    store.server.requests.map(({ headers }) => headers.authorization),
    [undefined],
  )
  assert.deepEqual(
    server.seen('/signed/2').map(({ headers }) => headers.authorization),
    [undefined],
  )
})

test('requiresAccessToken false: files are asked for without a token, and their query stays out of the summary', async (context) => {
  const entry = { url: '/capability?secret=s' }
  const script = exportScript(
    [{ type: 'Goal', entry }],
    { 'GET /capability': bytes(goals) },
    { requiresAccessToken: false },
  )
  const { server, run } = await startExport(context, script)
  const { files } = await run()
  assert.equal(server.seen('/capability')[0]?.headers.authorization, undefined)
  assert.equal(files[0]?.url, `${server.origin}/capability`)
})

test('a broken download goes on where it broke, on the bytes as they were sent, with a fresh link', async (context) => {
  const link = (number: number) => bare(307, { location: `/signed/${number}` })
  const { server, run, files } = await startExport(context, (directory) => ({
    ...goalsBy(link(1), link(2), link(3)),
    'GET /signed/1': broken(directory, packed, tagged),
    'GET /signed/2': bare(403),
    'GET /signed/3': rest(packed, tagged),
  }))
  const { totals } = await run()
  assert.deepEqual(await files(), { 'Goal.1.ndjson': goals })
  const { headers } = server.seen('/signed/3')[0]!
  assert.deepEqual([headers.range, headers['if-range'], headers['accept-encoding']], ['bytes=700-', '"g1"', 'gzip'])
  assert.equal(totals.receivedBytes, packed.length)
})

test('a server that ignores Range sends the file anew', async (context) => {
  const { server, run, files } = await startExport(context, (directory) =>
    goalsBy(broken(directory, packed, tagged), bytes(packed, tagged)),
  )
  await run()
  assert.deepEqual(await files(), { 'Goal.1.ndjson': goals })
  assert.equal(server.seen(filePath(1))[1]?.headers.range, 'bytes=700-')
})

test('without a strong ETag a download begins anew', async (context) => {
  const weak = { etag: 'W/"g1"' }
  const { server, run, files } = await startExport(context, (directory) =>
    goalsBy(broken(directory, plain, weak), bytes(plain, weak)),
  )
  await run()
  assert.deepEqual(await files(), { 'Goal.1.ndjson': goals })
  assert.equal(server.seen(filePath(1))[1]?.headers.range, undefined)
})

test('the rest of another representation is never joined to what is there', async (context) => {
  const strange: Act[] = [
    rest(packed, { ...gzip, etag: '"g2"' }),
    rest(packed, { etag: '"g1"' }),
    bare(206, { ...tagged, 'content-range': 'bytes 0-9/10' }),
    bare(416),
  ]
  for (const act of strange) {
    const { server, run, files } = await startExport(context, (directory) =>
      goalsBy(broken(directory, packed, tagged), act, bytes(packed, tagged)),
    )
    await run()
    assert.deepEqual(await files(), { 'Goal.1.ndjson': goals })
    assert.equal(server.seen(filePath(1)).length, 3)
  }
})

test('a gzip stream that ends too early is fetched again, and never accepted', async (context) => {
  const truncated = bytes(packed.subarray(0, -9), gzip)
  const mended = await startExport(context, goalsBy(truncated, bytes(packed, gzip)))
  await mended.run()
  assert.deepEqual(await mended.files(), { 'Goal.1.ndjson': goals })

  for (const body of [packed.subarray(0, -9), packed.subarray(0, 5), Buffer.alloc(0)]) {
    const hopeless = await startExport(context, goalsBy(bytes(body, gzip)))
    await assert.rejects(hopeless.run(), /could not be downloaded: its gzip stream is broken/)
    assert.deepEqual(await hopeless.files(), {})
    assert.equal(hopeless.server.seen(filePath(1)).length, 5)
  }
  const kept = await startExport(context, goalsBy(truncated))
  await assert.rejects(kept.run({ gzip: true }), /gzip stream is broken/)
})

test('Retry-After of a busy file server is honoured', async (context) => {
  const { run, waits } = await startExport(context, goalsBy(bare(503, { 'retry-after': '9' }), bytes(plain)))
  await run()
  assert.deepEqual(waits, [9_000])
})

test('a file that is made again is waited for as long as the server asks, within bounds', async (context) => {
  const busy = bare(503, { 'retry-after': '5' })
  const patient = await startExport(context, goalsBy(...Array.from({ length: 20 }, () => busy), bytes(plain)))
  await patient.run()
  assert.deepEqual(
    patient.waits,
    Array.from({ length: 20 }, () => 5_000),
  )

  const long = await startExport(context, goalsBy(bare(503, { 'retry-after': '600' })))
  await assert.rejects(long.run(), /could not be downloaded: .*503/)
  const within = awaitedMsMax / 600_000
  assert.equal(long.server.seen(filePath(1)).length, within + barrenAttemptsMax)

  const busyForEver = await startExport(context, goalsBy(bare(503, { 'retry-after': '1' })))
  await assert.rejects(busyForEver.run(), /could not be downloaded/)
  assert.equal(busyForEver.server.seen(filePath(1)).length, attemptsMax)
})

test('a later run goes on with the same job: sound files stay, a begun one is continued', async (context) => {
  const stop = new AbortController()
  const stopped = async (path: string, bytes: number) => {
    await sizeReached(path, bytes)
    stop.abort()
  }
  const { server, run, files } = await startExport(context, (directory) => {
    const begun = brokenAfter(700, packed, tagged, (bytes) => stopped(join(directory, 'Goal.1.ndjson.part'), bytes))
    return exportScript([
      { type: 'Patient', content: ndjson('Patient', ['1']) },
      { type: 'Goal', act: [begun, rest(packed, tagged)] },
    ])
  })
  await assert.rejects(run({ parallel: 1, signal: stop.signal }))
  const { resumed, totals } = await run({ parallel: 1 })
  assert.equal(resumed, true)
  assert.equal(totals.records, 501)
  assert.deepEqual(Object.keys(await files()), ['Goal.1.ndjson', 'Patient.1.ndjson'])
  assert.deepEqual(
    [kickOffPath, filePath(1), filePath(2)].map((path) => server.seen(path).length),
    [1, 1, 2],
  )
  assert.equal(server.seen(filePath(2))[1]?.headers.range, 'bytes=700-')
})

test('a finished file that was damaged since is fetched again', async (context) => {
  const script = exportScript([
    { type: 'Goal', content: goals, entry: { count: 500 } },
    { type: 'Patient', act: [bytes('{}\n'), bytes(ndjson('Patient', ['1']))] },
  ])
  const { server, run, files, directory } = await startExport(context, script)
  await assert.rejects(run(), /Patient\.1\.ndjson\.rejected: line 1 is of type nothing/)
  await writeFile(join(directory, 'Goal.1.ndjson'), goals.slice(0, 1000))
  await run()
  assert.deepEqual(await files(), { 'Goal.1.ndjson': goals, 'Patient.1.ndjson': ndjson('Patient', ['1']) })
  assert.equal(server.seen(filePath(1)).length, 2)
})

test('a directory takes one export: foreign files, another request and a complete export are refused', async (context) => {
  const { server, run, directory, files } = await startExport(context, exportScript([{ type: 'Goal', content: goals }]))
  await run()
  await assert.rejects(run(), { message: /complete/, advice: /new directory/ })
  await assert.rejects(run({ gzip: true }), /another server, client or request/)
  assert.deepEqual(Object.keys(await files()), ['Goal.1.ndjson'])
  await writeFile(join(directory, '..', 'foreign'), '')
  await assert.rejects(run({ directory: join(directory, '..') }), { message: /is not empty/, advice: /new directory/ })
  assert.equal(server.seen(kickOffPath).length, 1)
})

test('a second process does not work in the same directory, and a lock left behind does not block', async (context) => {
  const { run, directory } = await startExport(
    context,
    exportScript([], { [`GET ${jobPath}`]: [bare(500), bare(500), json(200, {})] }),
  )
  await assert.rejects(run())
  await writeFile(join(directory, 'export.lock'), String(process.ppid))
  await assert.rejects(run(), { message: /is working in/ })
  await writeFile(join(directory, 'export.lock'), '999999999')
  await assert.rejects(run(), /HTTP 500/)
  assert.deepEqual(await readdir(directory), ['export.json'])
})

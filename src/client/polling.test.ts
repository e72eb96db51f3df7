import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exportScript, kickOffPath, startExport } from './export.fixture.ts'
import { type Act, bare, jobPath, json, manifestOf } from './scripted-server.fixture.ts'

const done = json(200, manifestOf([]))
const issue = (severity: string, code: string, text: string) => ({
  resourceType: 'OperationOutcome',
  issue: [{ severity, code, details: { text } }],
})
const polls = (...acts: Act[]) => exportScript([], { [`GET ${jobPath}`]: acts })

test('P2, P3: the wait is what Retry-After says, and progress is passed on', async (context) => {
  const inTwenty = () => new Date(clock.now() + 20_000).toUTCString()
  const { run, waits, events, clock } = await startExport(
    context,
    polls(
      bare(202, { 'retry-after': '0', 'x-progress': 'in-progress' }),
      bare(202, { 'retry-after': '7', 'x-progress': '23.5% complete' }),
      (response) => bare(202, { 'retry-after': inTwenty() })(response),
      bare(202),
      bare(202),
      done,
    ),
  )
  await run()
  assert.deepEqual([waits[0], waits[1], waits[3], waits[4]], [100, 7_000, 1_000, 2_000])
  assert.ok(waits[2]! > 19_000 && waits[2]! <= 20_000, String(waits[2]))
  const running = events.filter((event) => event.kind === 'running')
  assert.deepEqual(
    running.map(({ percent }) => percent),
    [undefined, 23.5, undefined, undefined, undefined],
  )
  assert.equal(running[1]?.progress, '23.5% complete')
})

test('P4, P6: 429, gateway errors and transient codes are sat out', async (context) => {
  const { server, run, waits } = await startExport(
    context,
    polls(
      json(429, issue('error', 'throttled', 'slow down'), { 'retry-after': '5' }),
      json(500, issue('error', 'timeout', 'database')),
      bare(503),
      (response) => response.destroy(),
      done,
    ),
  )
  await run()
  assert.deepEqual(waits, [5_000, 2_000, 4_000, 8_000])
  assert.equal(server.seen(jobPath).length, 5)
})

test('polls that keep failing end with advice to go on later, and the job is not given up', async (context) => {
  const { server, run } = await startExport(context, polls(bare(503)))
  await assert.rejects(run(), { message: /HTTP 503/, advice: /same command again to go on waiting/ })
  await assert.rejects(run(), /HTTP 503/)
  assert.equal(server.seen(kickOffPath).length, 1)
})

test('P5: a failed job ends with its issues; the same command then starts a new one', async (context) => {
  const failed = json(500, issue('fatal', 'processing', 'Partition 7 could not be read'), { 'x-request-id': 'r-1' })
  const { server, run } = await startExport(context, polls(bare(202), failed, done))
  await assert.rejects(run(), /HTTP 500 \(request r-1\): Partition 7 could not be read \(processing\)/)
  await run()
  assert.equal(server.seen(kickOffPath).length, 2)
})

test('a token is renewed once when the server says 401, and a second 401 ends the run', async (context) => {
  const refused = bare(401, { 'www-authenticate': 'Bearer error="invalid_token"' })
  const { server, run } = await startExport(context, polls(refused, done))
  await run()
  const shown = server.seen(jobPath).map(({ headers }) => headers.authorization)
  assert.deepEqual(shown, ['Bearer token-1', 'Bearer token-2'])

  const never = await startExport(context, polls(refused))
  await assert.rejects(never.run(), /HTTP 401/)
  assert.equal(never.server.seen(jobPath).length, 2)
})

test('a status URL of another origin on the same host may see the token, one on another host may not', async (context) => {
  const seen: (string | undefined)[] = []
  const other = await startExport(context, {
    'GET /job': (response, { headers }) => {
      seen.push(headers.authorization)
      if (headers.authorization) done(response)
      else bare(401)(response)
    },
  })
  const at = (location: string) =>
    exportScript([], { [`POST ${kickOffPath}`]: bare(202, { 'content-location': location }) })
  const sameHost = await startExport(context, at(`${other.server.origin}/job`))
  await sameHost.run()
  assert.deepEqual(seen, ['Bearer token-1'])

  const elsewhere = other.server.origin.replace('127.0.0.1', 'localhost')
  const otherHost = await startExport(context, at(`${elsewhere}/job`))
  await assert.rejects(otherHost.run(), { message: /token was not sent/, advice: /--trust-origin/ })
  assert.deepEqual(seen.slice(1), [undefined])
  await otherHost.run({ trustedOrigins: [elsewhere] })
  assert.deepEqual(seen.slice(2), ['Bearer token-2'])
})

test('a redirect of a status URL keeps the token at its own origin only', async (context) => {
  const away = await startExport(context, { 'GET /away': done })
  const here = await startExport(
    context,
    polls(bare(307, { location: '/moved' }), bare(307, { location: `${away.server.origin}/away` })),
  )
  await assert.rejects(here.run(), /HTTP 404/)
  assert.equal(here.server.seen('/moved')[0]?.headers.authorization, 'Bearer token-1')
  await here.run()
  assert.equal(away.server.seen('/away')[0]?.headers.authorization, undefined)
})

test('redirects in a circle end', async (context) => {
  const { server, run } = await startExport(context, polls(bare(307, { location: jobPath })))
  await assert.rejects(run(), /more than 5 redirects/)
  assert.equal(server.seen(jobPath).length, 6)
})

test('a token is renewed 30 s before it expires', async (context) => {
  const after = (seconds: number) => bare(202, { 'retry-after': String(seconds) })
  const { server, run } = await startExport(context, polls(after(269), after(1), done))
  await run()
  const shown = server.seen(jobPath).map(({ headers }) => headers.authorization)
  assert.deepEqual(shown, ['Bearer token-1', 'Bearer token-1', 'Bearer token-2'])
})

import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { Failure } from '../failure.ts'
import { clientKey, exportScript, filePath, kickOffPath, startExport } from './export.fixture.ts'
import { DefectiveExport } from './export.ts'
import { bare, basePath, bytes, jobPath, json, manifestOf, ndjson } from './scripted-server.fixture.ts'

const patients = ndjson('Patient', ['1', '2'])
const goals = ndjson('Goal', ['1', '2', '3'])
const outcome = (code: string, text: string, severity = 'error') => ({
  resourceType: 'OperationOutcome',
  issue: [{ severity, code, details: { text }, diagnostics: 'trace 7' }],
})

test('an export runs from token to verified files', async (context) => {
  const script = exportScript(
    [
      { type: 'Patient', content: patients, entry: { count: 2 } },
      { type: 'Goal', act: bytes(gzipSync(goals), { 'content-encoding': 'gzip' }) },
      { type: 'Goal', content: ndjson('Goal', ['4']) },
    ],
    { 'GET /errors': bytes(`${JSON.stringify(outcome('not-found', 'Organization/9 is unknown', 'warning'))}\n`) },
    { error: [{ type: 'OperationOutcome', url: '/errors' }] },
  )
  const { server, run, files, directory, events } = await startExport(context, script)
  const summary = await run()

  assert.deepEqual(await files(), {
    'Patient.1.ndjson': patients,
    'Goal.1.ndjson': goals,
    'Goal.2.ndjson': ndjson('Goal', ['4']),
    'error.OperationOutcome.1.ndjson': `${JSON.stringify(outcome('not-found', 'Organization/9 is unknown', 'warning'))}\n`,
  })
  assert.deepEqual([summary.totals.files, summary.totals.records, summary.deleted], [4, 7, false])
  assert.equal(summary.transactionTime, '2026-01-02T03:04:05.678Z')
  assert.deepEqual(summary.issues, [
    { severity: 'warning', code: 'not-found', text: 'Organization/9 is unknown: trace 7', count: 1 },
  ])
  assert.deepEqual(summary.files.map(({ type, count, url }) => [type, count, new URL(url).pathname]).slice(0, 2), [
    ['Patient', 2, filePath(1)],
    ['Goal', 3, filePath(2)],
  ])
  assert.equal((await stat(directory)).mode & 0o777, 0o700)
  for (const name of ['export.json', 'Patient.1.ndjson', 'Goal.1.ndjson']) {
    assert.equal((await stat(join(directory, name))).mode & 0o777, 0o600, name)
  }
  assert.ok(!(await readFile(join(directory, 'export.json'), 'utf8')).includes('token-'))
  assert.equal(server.seen('/token').length, 1)
  assert.equal(server.seen(kickOffPath)[0]?.headers.authorization, 'Bearer token-1')
  assert.equal(server.seen(filePath(1))[0]?.headers['accept-encoding'], 'gzip')
  assert.equal(server.seen(jobPath).filter(({ method }) => method === 'DELETE').length, 0)
  assert.ok(events.some(({ kind }) => kind === 'manifest'))
})

test('--gzip keeps files compressed, whichever way they were sent', async (context) => {
  const sent = gzipSync(goals)
  const { run, files } = await startExport(
    context,
    exportScript([
      { type: 'Goal', act: bytes(sent, { 'content-encoding': 'gzip' }) },
      { type: 'Patient', content: patients },
    ]),
  )
  await run({ gzip: true })
  const { 'Goal.1.ndjson.gz': kept = '', 'Patient.1.ndjson.gz': packed = '', ...others } = await files()
  assert.deepEqual(others, {})
  assert.equal(kept, sent.toString('latin1'))
  assert.equal(gunzipSync(Buffer.from(packed, 'latin1')).toString(), patients)
})

test('the scopes asked for are those of --type, and --scope wins', async (context) => {
  const { server, run, directory } = await startExport(context, exportScript([]))
  const credentials = { clientId: 'app', key: await clientKey(), scope: 'system/Goal.rs' }
  const order = { selection: { patients: ['1'] }, typeFilters: [], includeAssociatedData: [] }
  await run({ order: { ...order, types: [] } })
  await run({ order: { ...order, types: ['Goal', 'Patient'] }, directory: `${directory}2` })
  await run({ order: { ...order, types: ['Goal', 'Patient'] }, directory: `${directory}3`, credentials })
  const scopes = server.seen('/token').map(({ body }) => new URLSearchParams(body).get('scope'))
  assert.deepEqual(scopes, ['system/*.read', 'system/Goal.read system/Patient.read', 'system/Goal.rs'])
})

test('an open server is asked without a token', async (context) => {
  const { server, run } = await startExport(context, exportScript([{ type: 'Patient', content: patients }]))
  await run({ credentials: undefined })
  assert.ok(server.requests.every(({ headers }) => headers.authorization === undefined))
  assert.equal(server.seen('/token').length, 0)
})

test('a group export is kicked off with GET', async (context) => {
  const groupPath = `${basePath}/Group/g-1/$export`
  const kickOff = { [`GET ${groupPath}`]: bare(202, { 'content-location': 'bulk-export/jobs/1' }) }
  const relative = { [`GET ${basePath}/Group/g-1/bulk-export/jobs/1`]: json(200, manifestOf([])) }
  const { server, run } = await startExport(context, exportScript([], { ...kickOff, ...relative }))
  await run({ order: { selection: { group: 'g-1' }, types: ['Goal'], typeFilters: [], includeAssociatedData: [] } })
  assert.equal(server.seen(groupPath)[0]?.query.get('_type'), 'Goal')
  assert.equal(server.seen(groupPath)[0]?.headers.prefer, 'respond-async')
})

test('S-5: when an export of the client already runs, the advice says what to do', async (context) => {
  const busy = json(429, outcome('throttled', 'Export 7 is in progress'), { 'retry-after': '30' })
  const { server, run } = await startExport(context, exportScript([], { [`POST ${kickOffPath}`]: busy }))
  await assert.rejects(run(), (error) => {
    assert.ok(error instanceof Failure)
    assert.match(error.message, /HTTP 429.*Export 7 is in progress: trace 7 \(throttled\)/)
    assert.match(error.advice, /one export of a client at a time.*Retry-After: 30/)
    return true
  })
  assert.equal(server.seen(kickOffPath).length, 1)
})

test('--delete-after deletes the job when every check has passed, and only then', async (context) => {
  const sound = await startExport(context, exportScript([{ type: 'Patient', content: patients }]))
  assert.equal((await sound.run({ deleteAfter: true })).deleted, true)
  assert.equal(sound.server.requests.at(-1)?.method, 'DELETE')

  const faulty = await startExport(context, exportScript([{ type: 'Patient', content: goals }]))
  await assert.rejects(faulty.run({ deleteAfter: true }), DefectiveExport)
  assert.ok(faulty.server.requests.every(({ method }) => method !== 'DELETE'))
})

test('a deletion that fails is a warning', async (context) => {
  const refuse = { [`DELETE ${jobPath}`]: json(500, outcome('exception', 'no')) }
  const { run } = await startExport(context, exportScript([{ type: 'Patient', content: patients }], refuse))
  const { deleted, warnings } = await run({ deleteAfter: true })
  assert.equal(deleted, false)
  assert.match(warnings[0] ?? '', /not deleted/)
})

test('files that are not what the manifest says are set aside and named, the others come', async (context) => {
  const { run, files } = await startExport(
    context,
    exportScript([
      { type: 'Goal', content: goals, entry: { count: 4 } },
      { type: 'Patient', content: patients + ndjson('Device', ['1']) },
      { type: 'Device', content: ndjson('Device', ['1']) },
    ]),
  )
  await assert.rejects(run(), (error) => {
    assert.ok(error instanceof DefectiveExport)
    assert.equal(error.exitCode, 2)
    assert.match(error.message, /Goal\.1\.ndjson\.rejected: it has 3 records, but the manifest says 4/)
    assert.match(error.message, /Patient\.1\.ndjson\.rejected: line 3 is of type Device, not Patient/)
    assert.equal(error.summary.problems.length, 2)
    return true
  })
  assert.deepEqual(Object.keys(await files()), [
    'Device.1.ndjson',
    'Goal.1.ndjson.rejected',
    'Patient.1.ndjson.rejected',
  ])
})

test('an id that comes twice for a type is found, across files too', async (context) => {
  const { run } = await startExport(
    context,
    exportScript([
      { type: 'Goal', content: goals },
      { type: 'Goal', content: ndjson('Goal', ['8', '2', '9', '9']) },
      { type: 'Patient', content: ndjson('Patient', ['1', '2']) },
    ]),
  )
  await assert.rejects(run({ parallel: 1 }), {
    message: /Goal\.2\.ndjson: 2 ids come twice among the Goal files, first in record 2 of this file$/,
  })
})

test('a manifest whose type would lead out of the directory is refused, nothing is downloaded', async (context) => {
  const { server, run, files } = await startExport(context, exportScript([{ type: '../../x', content: 'x' }]))
  await assert.rejects(run(), /output\[0\]\.type is not a resource type/)
  assert.equal(server.seen(filePath(1)).length, 0)
  assert.deepEqual(await files(), {})
})

test('a file that the server refuses is named, the others come', async (context) => {
  const gone = json(404, outcome('not-found', 'File 1 has expired'))
  const { run, files } = await startExport(
    context,
    exportScript([
      { type: 'Goal', act: gone },
      { type: 'Patient', content: patients },
    ]),
  )
  await assert.rejects(run(), /Goal\.1 is not there: HTTP 404: File 1 has expired/)
  assert.deepEqual(Object.keys(await files()), ['Patient.1.ndjson'])
})

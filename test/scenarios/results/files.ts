import assert from 'node:assert/strict'
import { gunzipSync } from 'node:zlib'
import { signContentLink } from '../../../src/access/content-link.ts'
import { loadSecret } from '../../../src/access/secret.ts'
import type { Answer } from '../exchange.ts'
import { finishedManifest, startExport } from '../exported.ts'
import { entry, patientEntry } from '../kick-off.ts'
import { assertRefused } from '../outcome.ts'
import { condition, patient, put } from '../resources.ts'
import type { Scenario } from '../scenario.ts'
import type { Caller, ScenarioSuite } from '../suite.ts'

interface ExportedFile {
  readonly caller: Caller
  readonly status: string
  /** The file's URL in the manifest, and the signed one it leads to. */
  readonly url: string
  readonly link: string
}

let file: Promise<ExportedFile> | undefined

/** One export with one file of Conditions, for all rows that only look at it. */
function conditionFile(suite: ScenarioSuite): Promise<ExportedFile> {
  file ??= newConditionFile(suite)
  return file
}

async function newConditionFile(suite: ScenarioSuite): Promise<ExportedFile> {
  const note = [{ text: 'long enough to be cut into ranges. '.repeat(20) }]
  await put(suite, [patient('filed'), condition('filed-1', 'filed', { note }), condition('filed-2', 'filed', { note })])
  const caller = await suite.newCaller()
  const parameters = [entry('_type', 'valueString', 'Condition')]
  const status = await startExport(suite, caller, { patients: [patientEntry('Patient/filed')], parameters })
  const { output } = await finishedManifest(suite, caller, status)
  assert.equal(output.length, 1)
  const url = output[0]!.url
  const { headers } = await suite.ask(caller, 'GET', url)
  return { caller, status, url, link: String(headers.location) }
}

const get = (suite: ScenarioSuite, url: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
  suite.send({ method, url, headers })

const text = ({ body }: Answer) => body.toString('utf8')

/** T-174…T-182: files, and the signed links they lead to. */
export const fileScenarios: readonly Scenario[] = [
  {
    t: [174, 176],
    rules: ['§6'],
    does: 'a file with the right token, then its Location without one',
    outcome: '307, then 200 application/fhir+ndjson',
    run: async (suite) => {
      const { caller, url } = await conditionFile(suite)
      for (const accept of ['application/fhir+ndjson', 'application/fhir+json', '*/*']) {
        const redirect = await suite.ask(caller, 'GET', url, { headers: { accept } })
        assert.equal(redirect.status, 307)
        const content = await get(suite, String(redirect.headers.location))
        assert.equal(content.status, 200)
        assert.match(String(content.headers['content-type']), /^application\/fhir\+ndjson(;|$)/)
        assert.match(text(content), /^{"resourceType":"Condition".*}\n{"resourceType":"Condition".*}\n$/)
      }
    },
  },
  {
    t: [175],
    rules: ['§6', 'O-7', 'D20b'],
    does: "a file without a token, without its type's scope, with another client's token",
    outcome: '401, 403, 403',
    run: async (suite) => {
      const { caller, url } = await conditionFile(suite)
      assertRefused(await get(suite, url), 401, 'login')
      const poorer = await suite.withScope(caller, 'system/Patient.read')
      assertRefused(await suite.ask(poorer, 'GET', url), 403, 'forbidden')
      assertRefused(await suite.ask(await suite.sharedCaller(), 'GET', url), 403, 'forbidden')
      const enough = await suite.withScope(caller, 'system/Condition.rs')
      assert.equal((await suite.ask(enough, 'GET', url)).status, 307)
    },
  },
  {
    t: [176],
    rules: ['§6'],
    does: 'a signed link with an Authorization header',
    outcome: '200: the header is ignored',
    run: async (suite) => {
      const { link } = await conditionFile(suite)
      assert.equal((await get(suite, link, { authorization: 'Bearer nonsense' })).status, 200)
    },
  },
  {
    t: [177],
    rules: ['§6'],
    does: 'a link that was tampered with, of another file, for another method, expired',
    outcome: '403, 403, 405, 403',
    run: async (suite) => {
      const { link } = await conditionFile(suite)
      const signed = new URL(link)
      const changed = (change: (url: URL) => void): string => {
        const url = new URL(link)
        change(url)
        return url.href
      }
      const tampered = [
        changed((url) => url.searchParams.set('expires', String(Number(url.searchParams.get('expires')) + 60))),
        changed((url) => url.searchParams.set('signature', `A${url.searchParams.get('signature')!.slice(1)}B`)),
        changed((url) => url.searchParams.delete('signature')),
        changed((url) => url.searchParams.append('expires', '9999999999')),
        changed((url) => {
          url.pathname = '/content/96295b8c-584e-11ec-bf63-0242ac130002'
        }),
      ]
      for (const url of tampered) assertRefused(await get(suite, url), 403, 'forbidden')
      assertRefused(await get(suite, link, {}, 'POST'), 405, 'not-supported')
      const secret = await loadSecret(suite.server.pool, 'content-link')
      const fileId = signed.pathname.split('/').at(-1)!
      const expires = new Date(Date.now() - 1000)
      const expired = signContentLink({ secret, path: signed.pathname, fileId, expires })
      assertRefused(await get(suite, `${suite.server.url}${expired}`), 403, 'forbidden')
    },
  },
  {
    t: [178],
    rules: ['§6'],
    does: 'a file with Accept: text/csv',
    outcome: '406 invalid',
    run: async (suite) => {
      const { caller, url } = await conditionFile(suite)
      assertRefused(await suite.ask(caller, 'GET', url, { headers: { accept: 'text/csv' } }), 406, 'invalid')
    },
  },
  {
    t: [179],
    rules: ['§6'],
    does: 'Accept-Encoding gzip, a list, identity, gzip;q=0, none',
    outcome: 'gzip with Content-Encoding, or plain',
    run: async (suite) => {
      const { link } = await conditionFile(suite)
      const plain = await get(suite, link)
      for (const encoding of ['gzip', 'br;q=1.0, gzip;q=0.5', '*']) {
        const packed = await get(suite, link, { 'accept-encoding': encoding })
        assert.equal(packed.headers['content-encoding'], 'gzip', encoding)
        assert.equal(packed.headers['content-length'], String(packed.body.length))
        assert.equal(gunzipSync(packed.body).toString('utf8'), text(plain))
        assert.notEqual(packed.headers.etag, plain.headers.etag)
      }
      for (const encoding of ['identity', 'gzip;q=0', 'br']) {
        const answer = await get(suite, link, { 'accept-encoding': encoding })
        assert.equal(answer.headers['content-encoding'], undefined, encoding)
        assert.equal(text(answer), text(plain))
      }
      assert.equal(plain.headers.vary, 'Accept-Encoding')
    },
  },
  {
    t: [180],
    rules: ['§6'],
    does: 'Range bytes=0-99, the rest, the last ten, one that lies outside, several; of plain and gzip',
    outcome: '206; 416; 200',
    run: async (suite) => {
      const { link } = await conditionFile(suite)
      for (const encoding of ['identity', 'gzip']) {
        const whole = await get(suite, link, { 'accept-encoding': encoding })
        const size = whole.body.length
        const part = async (range: string, more = {}) =>
          get(suite, link, { 'accept-encoding': encoding, range, ...more })
        const first = await part('bytes=0-99')
        assert.equal(first.status, 206)
        assert.equal(first.headers['content-range'], `bytes 0-99/${size}`)
        assert.equal(first.headers['content-length'], '100')
        const rest = await part('bytes=100-', { 'if-range': String(whole.headers.etag) })
        assert.equal(rest.status, 206)
        assert.deepEqual(Buffer.concat([first.body, rest.body]), whole.body)
        assert.deepEqual((await part('bytes=-10')).body, whole.body.subarray(-10))
        const outside = await part(`bytes=${size}-`)
        assertRefused(outside, 416, 'value')
        assert.equal(outside.headers['content-range'], `bytes */${size}`)
        assert.equal((await part('bytes=0-1,5-6')).status, 200)
        assert.equal((await part('bytes=0-99', { 'if-range': '"another"' })).status, 200)
      }
    },
  },
  {
    t: [],
    rules: ['§6'],
    does: 'HEAD and If-None-Match of a file',
    outcome: 'the headers; 304',
    run: async (suite) => {
      const { link } = await conditionFile(suite)
      const whole = await get(suite, link)
      const head = await get(suite, link, {}, 'HEAD')
      assert.deepEqual([head.status, head.body.length], [200, 0])
      assert.equal(head.headers['content-length'], String(whole.body.length))
      assert.equal(head.headers['accept-ranges'], 'bytes')
      const again = await get(suite, link, { 'if-none-match': String(whole.headers.etag) })
      assert.deepEqual([again.status, again.body.length], [304, 0])
    },
  },
  {
    t: [181],
    rules: ['§6', 'D27'],
    does: 'a file and its link after DELETE of the export, and after 30 days',
    outcome: '404 not-found',
    run: async (suite) => {
      const deleted = await newConditionFile(suite)
      await suite.ask(deleted.caller, 'DELETE', deleted.status)
      const expired = await newConditionFile(suite)
      const job = expired.status.split('/').at(-1)
      await suite.server.pool.query(`update job set expires = now() - interval '1 second' where id = $1`, [job])
      for (const { caller, url, link } of [deleted, expired]) {
        assertRefused(await suite.ask(caller, 'GET', url), 404, 'not-found')
        assertRefused(await get(suite, link), 404, 'not-found')
      }
    },
  },
  {
    t: [182],
    rules: ['O-7'],
    does: 'a file id of another tenant, an unknown one, one that is no id',
    outcome: '404 not-found, all alike',
    run: async (suite) => {
      const { url } = await conditionFile(suite)
      const foreigner = await suite.sharedCaller('neighbour')
      const ids = [url.split('/').at(-1), '96295b8c-584e-11ec-bf63-0242ac130002', '..%2F..%2Fjob', '1']
      const answers = await Promise.all(ids.map((id) => suite.ask(foreigner, 'GET', `/bulk-export/files/${id}`)))
      for (const answer of answers) {
        assertRefused(answer, 404, 'not-found')
        assert.equal(text(answer), text(answers[0]!))
      }
    },
  },
]

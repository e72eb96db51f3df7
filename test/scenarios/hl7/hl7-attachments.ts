import assert from 'node:assert/strict'
import { requestBytesMax } from '../../../src/protocol/limits.ts'
import { packChanged } from '../../../src/records/packs/packer.ts'
import type { Answer, Exchange } from '../exchange.ts'
import { type Exported, exported, exportedBy, finishedManifest, startExport } from '../exported.ts'
import { entry, patientEntry } from '../kick-off.ts'
import { assertRefused } from '../outcome.ts'
import { patient, put, type Resource, referenceTo, remove } from '../resources.ts'
import type { Scenario } from '../scenario.ts'
import type { Caller, ScenarioSuite } from '../suite.ts'

const elsewhere = 'https://elsewhere.example.org/fhir'

const contentOf = (id: string) => Buffer.from(`The content of ${id}.`)

const binary = (id: string, securityContext?: string): Resource => ({
  resourceType: 'Binary',
  id,
  contentType: 'text/plain',
  ...(securityContext === undefined ? {} : { securityContext: referenceTo(securityContext) }),
  data: contentOf(id).toString('base64'),
})

const document = (id: string, owner: string, url: string, category = 'clinical-note'): Resource => ({
  resourceType: 'DocumentReference',
  id,
  status: 'current',
  category: [{ coding: [{ code: category }] }],
  subject: referenceTo(`Patient/${owner}`),
  content: [{ attachment: { contentType: 'text/plain', url } }],
})

/** A patient with Attachments of every kind, and another one with a Binary that the first one's document refers to. */
const chart = (of: string): readonly Resource[] => [
  { ...patient(of), photo: [{ contentType: 'image/png', url: `Binary/${of}-photo` }] },
  patient(`${of}-other`),
  document(`${of}-d`, of, `Binary/${of}-b`),
  document(`${of}-stolen`, of, `Binary/${of}-secret`),
  document(`${of}-stolen-too`, of, `Binary/${of}-hidden`),
  document(`${of}-theirs`, `${of}-other`, `Binary/${of}-hidden`, 'imaging'),
  {
    ...{ resourceType: 'DiagnosticReport', id: `${of}-r`, status: 'final', code: { text: 'x' } },
    subject: referenceTo(`Patient/${of}`),
    presentedForm: [
      { url: `Binary/${of}-b` },
      { url: `Binary/${of}-gone` },
      { url: 'https://there.example.org/Binary/x' },
    ],
  },
  {
    ...{ resourceType: 'Media', id: `${of}-m`, status: 'completed' },
    subject: referenceTo(`Patient/${of}`),
    content: { url: `Binary/${of}-own` },
  },
  binary(`${of}-b`, `DocumentReference/${of}-d`),
  binary(`${of}-own`, `Patient/${of}`),
  binary(`${of}-photo`),
  binary(`${of}-secret`, `Patient/${of}-other`),
  binary(`${of}-hidden`, `DocumentReference/${of}-theirs`),
  binary(`${of}-lonely`),
]

const urlsOf = (found: Exported): string[] =>
  ['Patient', 'DocumentReference', 'DiagnosticReport', 'Media']
    .flatMap((type) => found.lines(type))
    .flatMap((line) => [...line.matchAll(/"url":"([^"]*)"/g)].map(([, url]) => url!))
    .sort()

const read = (suite: ScenarioSuite, caller: Caller, path: string, headers: Exchange['headers'] = {}, method = 'GET') =>
  suite.ask(caller, method, path, { headers })

const ids = (of: string, ...names: string[]) => names.map((name) => `${of}-${name}`)
const only = (of: string, ...parameters: object[]) => ({ patients: [patientEntry(`Patient/${of}`)], parameters })
const types = (value: string) => entry('_type', 'valueString', value)

/** D37: what Attachments lead to, in exports and over HTTP. */
export const attachmentScenarios: readonly Scenario[] = [
  {
    t: [],
    rules: ['D37'],
    does: 'Attachments that lead to Binaries of the server',
    outcome: 'absolute URLs that the token opens; the Binaries come along, but those of other patients',
    run: async (suite) => {
      await put(suite, chart('at'), 'commons')
      const caller = await suite.newCaller('commons')
      const base = suite.base('commons')
      const absolute = ids('at', 'b', 'b', 'gone', 'hidden', 'own', 'photo', 'secret').map(
        (id) => `${base}/Binary/${id}`,
      )
      for (const state of ['versions', 'packs']) {
        if (state === 'packs') await packChanged(suite.server.pool, { tenant: 'commons', settledMs: 0 }, () => true)
        const found = await exported(suite, caller, only('at'))
        assert.deepEqual(urlsOf(found), [...absolute, 'https://there.example.org/Binary/x'], state)
        assert.deepEqual(found.ids('Binary'), ids('at', 'b', 'own', 'photo'))
        assert.deepEqual(
          found.errors.map(({ code, diagnostics }) => [code, diagnostics]),
          [['not-found', 'Binary/at-gone']],
        )
      }
      for (const id of ids('at', 'b', 'own', 'photo')) {
        const answer = await read(suite, caller, `${base}/Binary/${id}`)
        assert.deepEqual([answer.status, answer.body], [200, contentOf(id)])
      }
      const organized = entry('organizeOutputBy', 'valueString', 'Patient')
      const blocks = (await exported(suite, caller, only('at', organized))).files.flat().map((line) => JSON.parse(line))
      const inBlocks = blocks.filter(({ resourceType }) => resourceType === 'Binary').map(({ id }) => id)
      assert.deepEqual(inBlocks.sort(), ids('at', 'b', 'own', 'photo'))
    },
  },
  {
    t: [],
    rules: ['D37'],
    does: 'the same in profile millennium',
    outcome: 'the URLs as they were written, and no Binary',
    run: async (suite) => {
      await put(suite, chart('am'))
      const found = await exported(suite, await suite.newCaller(), only('am'))
      assert.deepEqual(found.types, ['DiagnosticReport', 'DocumentReference', 'Patient'])
      const urls = ids('am', 'b', 'b', 'gone', 'hidden', 'photo', 'secret').map((id) => `Binary/${id}`)
      assert.deepEqual(urlsOf(found), [...urls, 'https://there.example.org/Binary/x'])
    },
  },
  {
    t: [],
    rules: ['D37'],
    does: 'Binary without a token for what decides on it, or with one for some of it',
    outcome: 'not in the export, and refused or not there over HTTP; a patient decides nothing',
    run: async (suite) => {
      await put(suite, chart('as'), 'commons')
      const scoped = (scope: string) =>
        suite.newCaller('commons', `system/Binary.read system/Media.read system/Patient.read ${scope}`)
      const binaries = async (caller: Caller, of = 'as') => (await exported(suite, caller, only(of))).ids('Binary')
      const statuses = async (caller: Caller) =>
        Promise.all(
          ids('as', 'b', 'hidden', 'own', 'lonely').map(
            async (id) => (await read(suite, caller, `/Binary/${id}`)).status,
          ),
        )

      const none = await scoped('')
      assert.deepEqual(await statuses(none), [403, 403, 200, 200])
      assert.deepEqual(await binaries(none), ids('as', 'own', 'photo'))
      const refused = await read(suite, none, '/Binary/as-b')
      assertRefused(refused, 403, 'forbidden')
      assert.match(String(refused.headers['www-authenticate']), /insufficient_scope/)

      const some = await scoped('system/DocumentReference.rs?category=clinical-note system/DiagnosticReport.read')
      assert.deepEqual(await statuses(some), [200, 404, 200, 200])
      assert.deepEqual(await binaries(some), ids('as', 'b', 'own', 'photo'))
      assert.deepEqual(await binaries(some, 'as-other'), ids('as', 'secret'))
      const theirs = await scoped('system/DocumentReference.rs?patient=Patient/as-other')
      assert.deepEqual(await statuses(theirs), [404, 200, 200, 200])

      const all = await suite.newCaller('commons', 'system/Patient.read system/DocumentReference.read')
      assertRefused(await read(suite, all, '/Binary/as-photo'), 403, 'forbidden')
      const other = await suite.newCaller('village')
      assertRefused(await read(suite, other, '/Binary/as-photo'), 404, 'not-found')
    },
  },
  {
    t: [],
    rules: ['D37'],
    does: 'Binary in the export of a Group, of one patient, by _type, and of the whole system',
    outcome: 'with the documents; by themselves those of patients; all of them',
    run: async (suite) => {
      const group: Resource = {
        ...{ resourceType: 'Group', id: 'al-group', type: 'person', actual: true },
        member: [{ entity: referenceTo('Patient/al') }],
      }
      await put(suite, [...chart('al'), group], 'commons')
      const caller = await suite.newCaller('commons')
      const isOurs = (id: string) => id.startsWith('al-')
      const by = async (path: string) => {
        const answer = await read(suite, caller, path)
        assert.equal(answer.status, 202, answer.body.toString())
        return (await exportedBy(suite, caller, String(answer.headers['content-location'])))
          .ids('Binary')
          .filter(isOurs)
      }
      assert.deepEqual(await by('/Group/al-group/$export'), ids('al', 'b', 'own', 'photo'))
      assert.deepEqual(await by('/Patient/al/$export'), ids('al', 'b', 'own', 'photo'))
      assert.deepEqual(await by('/Patient/al/$export?_type=Binary'), ids('al', 'own'))
      assert.deepEqual(await by('/$export?_type=Binary'), ids('al', 'b', 'hidden', 'lonely', 'own', 'photo', 'secret'))
      const scope = 'system/Binary.read system/DocumentReference.rs?category=clinical-note'
      const narrow = await suite.newCaller('commons', scope)
      const without = await suite.newCaller('commons', 'system/Binary.read')
      const system = async (some: Caller) => {
        const answer = await read(suite, some, '/$export?_type=Binary')
        return (await exportedBy(suite, some, String(answer.headers['content-location']))).ids('Binary').filter(isOurs)
      }
      for (const state of ['versions', 'packs']) {
        if (state === 'packs') await packChanged(suite.server.pool, { tenant: 'commons', settledMs: 0 }, () => true)
        assert.deepEqual(await system(narrow), ids('al', 'b', 'lonely', 'own', 'photo', 'secret'))
        assert.deepEqual(await system(without), ids('al', 'lonely', 'own', 'photo', 'secret'))
      }
      assert.deepEqual((await exported(suite, caller, only('al', types('DocumentReference')))).ids('Binary'), [])
    },
  },
  {
    t: [],
    rules: ['D37'],
    does: 'Binary whose context is gone, elsewhere, of a stranger, or nobody’s',
    outcome: 'comes along only with what may come along itself; over HTTP what is elsewhere takes all scopes',
    run: async (suite) => {
      const foreign = {
        ...document('ac-foreign', 'ac', 'Binary/ac-of-foreign'),
        subject: referenceTo(`${elsewhere}/Patient/x`),
      }
      const unnamed = { ...binary('ac-unnamed'), securityContext: { identifier: { value: 'x' } } } as Resource
      const names = ['of-foreign', 'elsewhere', 'unnamed', 'of-nobody', 'of-none', 'of-strange']
      await put(
        suite,
        [
          ...chart('ac'),
          ...names.map((name) => document(`ac-to-${name}`, 'ac', `Binary/ac-${name}`)),
          ...[foreign, unnamed, { resourceType: 'Organization', id: 'ac-org' }],
          binary('ac-of-foreign', 'DocumentReference/ac-foreign'),
          binary('ac-elsewhere', `${elsewhere}/DocumentReference/x`),
          binary('ac-of-nobody', 'Organization/ac-org'),
          binary('ac-of-none', 'DocumentReference/ac-none'),
          binary('ac-of-strange', 'Vehicle/ac-1'),
        ],
        'commons',
      )
      const caller = await suite.newCaller('commons')
      const expected = ids('ac', 'b', 'of-nobody', 'own', 'photo')
      assert.deepEqual((await exported(suite, caller, only('ac'))).ids('Binary'), expected)
      await remove(suite, 'DocumentReference/ac-theirs', 'commons')
      assert.deepEqual((await exported(suite, caller, only('ac'))).ids('Binary'), expected)
      const alone = await suite.newCaller('commons', 'system/Binary.read')
      for (const [of, status] of [
        [caller, 200],
        [alone, 403],
      ] as const)
        for (const id of ids('ac', 'elsewhere', 'unnamed')) {
          assert.equal((await read(suite, of, `/Binary/${id}`)).status, status, id)
        }
      // Exports of Groups count it, whoever looks at their errors.
      await remove(suite, 'DocumentReference/ac-foreign', 'commons')
    },
  },
  {
    t: [],
    rules: ['D37'],
    does: 'Binary of another patient where both are exported and each has a block',
    outcome: 'only in the block of whose document decides',
    run: async (suite) => {
      await put(suite, chart('ao'), 'commons')
      const both = [patientEntry('Patient/ao'), patientEntry('Patient/ao-other')]
      const organized = entry('organizeOutputBy', 'valueString', 'Patient')
      const found = await exported(suite, await suite.newCaller('commons'), { patients: both, parameters: [organized] })
      let block = ''
      const binaries: string[] = []
      for (const line of found.files.flat()) {
        const resource = JSON.parse(line)
        if (resource.resourceType === 'Parameters') block = resource.parameter[0].valueReference.reference
        if (resource.resourceType === 'Binary') binaries.push(`${block} ${resource.id}`)
      }
      const ofOther = ids('ao', 'hidden', 'secret').map((id) => `Patient/ao-other ${id}`)
      const own = ids('ao', 'b', 'own', 'photo').map((id) => `Patient/ao ${id}`)
      assert.deepEqual(binaries.sort(), [...own, ...ofOther].sort())
    },
  },
  {
    t: [],
    rules: ['D37', 'D20b'],
    does: 'Binary read in a batch, in an old version, and in a file of an export of a wider token',
    outcome: 'refused as by itself',
    run: async (suite) => {
      await put(suite, [...chart('ax'), binary('ax-late')], 'commons')
      const wide = await suite.newCaller('commons')
      const narrow = await suite.withScope(wide, 'system/Binary.read')
      const batch = {
        resourceType: 'Bundle',
        type: 'batch',
        entry: ids('ax', 'b', 'photo').map((id) => ({ request: { method: 'GET', url: `Binary/${id}` } })),
      }
      const answer = await suite.ask(narrow, 'POST', '/', {
        headers: { 'content-type': 'application/fhir+json' },
        body: JSON.stringify(batch),
      })
      const answered = JSON.parse(answer.body.toString()).entry as { resource?: object; response: { status: string } }[]
      assert.deepEqual(
        answered.map(({ resource, response }) => [response.status, resource !== undefined]),
        [
          ['403', false],
          ['200', true],
        ],
      )

      const job = await startExport(suite, wide, { path: '/$export', patients: [], parameters: [types('Binary')] })
      const { output } = await finishedManifest(suite, wide, job)
      const { url } = output.find(({ type }) => type === 'Binary')!
      const got = async (caller: Caller) => (await read(suite, caller, url)).status
      assert.deepEqual([await got(wide), await got(narrow)], [200, 403])

      const holder = await suite.newCaller('commons')
      await suite.hold(holder)
      await startExport(suite, holder, only('ax'))
      await put(suite, [binary('ax-late', 'DocumentReference/ax-d')], 'commons')
      const past = async (caller: Caller) => (await read(suite, caller, '/Binary/ax-late/_history/1')).status
      assert.deepEqual([await past(wide), await past(narrow)], [200, 403])
      await suite.release(holder)
    },
  },
  {
    t: [],
    rules: ['D37'],
    does: 'the bytes of a Binary',
    outcome: 'their own type, size, ranges, tags; the resource for FHIR JSON',
    run: async (suite) => {
      await put(suite, [binary('ab')], 'commons')
      const caller = await suite.sharedCaller('commons')
      const get = (headers: Exchange['headers'] = {}, method = 'GET') =>
        read(suite, caller, '/Binary/ab', headers, method)
      const content = contentOf('ab')
      const told = ({ status, body, headers }: Answer) => [status, body.toString(), headers['content-range']]
      for (const accept of [undefined, '*/*', 'text/plain', 'image/png']) {
        const whole = await get(accept === undefined ? {} : { accept })
        assert.deepEqual(told(whole), [200, content.toString(), undefined])
        const { 'content-type': type, 'content-length': length, 'accept-ranges': ranges } = whole.headers
        assert.deepEqual([type, length, ranges], ['text/plain', `${content.length}`, 'bytes'])
        assert.deepEqual([whole.headers.etag, whole.headers['content-disposition']], ['"1"', 'attachment'])
      }
      const resource = await get({ accept: 'application/fhir+json', range: 'bytes=0-1' })
      assert.deepEqual(
        [resource.status, JSON.parse(resource.body.toString()).id, resource.headers.etag],
        [200, 'ab', 'W/"1"'],
      )

      const size = content.length
      assert.deepEqual(told(await get({ range: 'bytes=4-10' })), [
        206,
        content.toString('utf8', 4, 11),
        `bytes 4-10/${size}`,
      ])
      assert.deepEqual(told(await get({ range: 'bytes=-3' })), [206, 'ab.', `bytes ${size - 3}-${size - 1}/${size}`])
      assert.equal((await get({ range: 'bytes=4-10', 'if-range': '"1"' })).status, 206)
      assert.equal((await get({ range: 'bytes=4-10', 'if-range': '"2"' })).status, 200)
      const beyond = await get({ range: `bytes=${size}-` })
      assertRefused(beyond, 416, 'value')
      assert.equal(beyond.headers['content-range'], `bytes */${size}`)
      assert.equal((await get({ 'if-none-match': '"1"' })).status, 304)
      const head = await get({}, 'HEAD')
      assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, `${size}`, 0])
      assert.equal((await read(suite, caller, '/Binary/ab/_history/1', { range: 'bytes=0-2' })).body.toString(), 'The')
    },
  },
  {
    t: [],
    rules: ['D37'],
    does: 'a Binary as large as a body may be, and one byte more',
    outcome: 'stored, read in ranges and exported; 413',
    run: async (suite) => {
      const caller = await suite.newCaller('commons')
      const of = (bytes: number) => {
        const head =
          '{"resourceType":"Binary","id":"large","contentType":"application/octet-stream","securityContext":{"reference":"Patient/lg"},"data":"'
        const room = bytes - head.length - 2
        return `${head}${'QUJD'.repeat(Math.floor(room / 4))}"${' '.repeat(room % 4)}}`
      }
      await put(suite, [patient('lg'), document('lg-d', 'lg', 'Binary/large')], 'commons')
      const send = (bytes: number) =>
        suite.ask(caller, 'PUT', '/Binary/large', {
          headers: { 'content-type': 'application/fhir+json' },
          body: of(bytes),
        })
      assertRefused(await send(requestBytesMax + 1), 413, 'too-long')
      assert.equal((await send(requestBytesMax)).status, 201)
      const data = Buffer.from(JSON.parse(of(requestBytesMax)).data, 'base64')
      const whole = await read(suite, caller, '/Binary/large')
      assert.equal(whole.body.equals(data), true)
      const tail = await read(suite, caller, '/Binary/large', { range: 'bytes=-4' })
      assert.deepEqual([tail.status, tail.body.toString()], [206, 'CABC'])
      const found = await exported(suite, caller, only('lg'))
      assert.deepEqual(found.ids('Binary'), ['large'])
      assert.equal(JSON.parse(found.lines('Binary')[0]!).data.length, (data.length / 3) * 4)
    },
  },
]

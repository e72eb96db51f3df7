import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { recordBytesMax } from '../draft.ts'
import { bundleOf, LoadingStore, newTenant, type Sources } from './loading.fixture.ts'

const patient = (id: string, more: object = {}) => ({ resourceType: 'Patient', id, ...more })
const line = (id: string) => JSON.stringify(patient(id))
const put = (id: string, more: object = {}) => ({
  resource: patient(id, more),
  request: { method: 'PUT', url: `Patient/${id}` },
})
const uuid = '00000000-0000-4000-8000-00000000000a'
const secret = 'Musterfrau'

/** What is taken for what. */
const kinds: readonly (readonly [what: string, sources: Sources, form: string, records: number])[] = [
  ['lines', { 'a.ndjson': `${line('a')}\n${line('b')}\n` }, 'NDJSON, 2 lines', 2],
  ['blank lines', { 'a.ndjson': `\n${line('a')}\n \t\r\n\n${line('b')}` }, 'NDJSON, 2 lines', 2],
  [
    'byte order marks between files that were put together',
    { 'a.ndjson': `\ufeff${line('a')}\n\ufeff${line('b')}\n\ufeff` },
    'NDJSON, 2 lines',
    2,
  ],
  ['lines under the name of one text', { 'a.json': `${line('a')}\n${line('b')}\n` }, 'NDJSON, 2 lines', 2],
  ['one text under the name of lines', { 'a.ndjson': JSON.stringify(patient('a'), null, 2) }, 'one Patient', 1],
  ['gzip under the name of none', { 'a.ndjson': gzipSync(line('a')) }, 'NDJSON, 1 line, gzip', 1],
  ['none under the name of gzip', { 'a.ndjson.gz': line('a') }, 'NDJSON, 1 line', 1],
  [
    'several members of gzip',
    { 'a.gz': Buffer.concat([gzipSync(`${line('a')}\n`), gzipSync(line('b'))]) },
    'NDJSON, 2 lines, gzip',
    2,
  ],
  ['a name without an ending', { 'a-1': line('a') }, 'NDJSON, 1 line', 1],
  [
    'a Bundle over several lines',
    { 'a.json': bundleOf('collection', put('a'), put('b')) },
    'Bundle of type collection',
    2,
  ],
  ['Bundles and records on lines', { 'a.ndjson': [bundleOf('batch', put('a')), patient('b')] }, 'NDJSON, 2 lines', 2],
  ['a message', { 'a.json': bundleOf('message', put('a')) }, 'Bundle of type message', 1],
  ['an empty file', { 'a.ndjson': '' }, 'empty', 0],
  [
    'blocks of an export that is organized by patient',
    { 'a.ndjson': [{ resourceType: 'Parameters', parameter: [] }, patient('a')] },
    'NDJSON, 2 lines',
    1,
  ],
  [
    'the error file of an export',
    { 'a.ndjson': [{ resourceType: 'OperationOutcome', issue: [] }] },
    'one OperationOutcome',
    0,
  ],
]

/** What is refused, and what is said: never a piece of the text. */
const faults: readonly (readonly [what: string, sources: Sources, said: string])[] = [
  ['what is not JSON', { 'a.json': `{"family":${secret}}` }, 'a.json, line 1: not JSON: it is wrong at character 11'],
  [
    'what is not JSON over several lines',
    { 'a.json': `{\n"family":${secret}}` },
    'a.json: not JSON: it is wrong at line 2, character 10',
  ],
  [
    'a line that was cut off',
    { 'a.ndjson': `${line('a')}\n{"family":"${secret}` },
    'a.ndjson, line 2: not JSON: it ends too early, at character 22',
  ],
  ['what is not UTF-8', { 'a.ndjson': Buffer.from([0x7b, 0xff, 0x7d]) }, 'a.ndjson, line 1: not UTF-8'],
  ['a record without an id', { 'a.ndjson': [{ resourceType: 'Patient' }] }, 'a.ndjson, line 1: no id'],
  [
    'an id that is too long',
    { 'a.ndjson': [patient('x'.repeat(65))] },
    'a.ndjson, line 1: id must be 1 to 64 letters, digits, hyphens or dots',
  ],
  ['a file of another kind', { a: 'name,birth\n' }, 'a: neither NDJSON nor JSON'],
  [
    'gzip that was cut off',
    { 'a.ndjson.gz': gzipSync(line('a')).subarray(0, -9) },
    'a.ndjson.gz, the rest of the file: cannot be read: unexpected end of file',
  ],
  [
    'two entries with one fullUrl',
    {
      'a.json': bundleOf(
        'collection',
        { fullUrl: `urn:uuid:${uuid}`, ...put('a') },
        { fullUrl: `urn:uuid:${uuid.toUpperCase()}`, ...put('b') },
      ),
    },
    'a.json: the Bundle is refused: entries have the same fullUrl (bdl-7): entry[0], entry[1]',
  ],
  [
    'two people of one id in a Bundle',
    {
      'a.json': bundleOf(
        'collection',
        { fullUrl: 'http://a.example/Patient/1', ...put('1') },
        { fullUrl: 'http://b.example/Patient/1', ...put('1', { gender: 'female' }) },
      ),
    },
    'a.json: the Bundle is refused: entry[0] and entry[1] are different, and would become one record; load them apart, into tenants of their own if they are of different sources',
  ],
  [
    'entries of a Bundle on a line',
    { 'a.ndjson': [bundleOf('batch', put('a'), {})] },
    'a.ndjson, line 1, entry[1]: no resource',
  ],
]

describe('a load', () => {
  let store: LoadingStore
  before(async () => {
    store = await LoadingStore.open()
  })
  after(() => store.close())

  for (const [what, sources, form, records] of kinds) {
    it(`takes for what it is: ${what}`, async () => {
      const tenant = newTenant()
      const loaded = await store.load(tenant, sources)
      assert.deepEqual(loaded.faults, [])
      assert.equal(loaded.files.first[0]!.form, form)
      assert.equal(loaded.counts.created, records)
      assert.equal((await store.current(tenant)).size, records)
    })
  }

  for (const [what, sources, said] of faults) {
    it(`refuses ${what}, and says where`, async () => {
      const loaded = await store.load(newTenant(), sources)
      assert.deepEqual(loaded.faults, [said])
      assert.ok(!JSON.stringify(loaded).includes(secret))
    })
  }

  it('refuses a record that is too long in every form, and takes the longest in every form, exported or not', async () => {
    const long = (bytes: number) =>
      patient('long', { text: 'x'.repeat(bytes - line('long').length - ',"text":""'.length) })
    const tooLong = long(recordBytesMax + 1_000)
    const [longest] = [long(recordBytesMax)]
    for (const [name, wrap] of Object.entries({
      'a.ndjson': (record: object) => [record],
      'a.json': (record: object) => record,
      'b.json': (record: object) => bundleOf('collection', { resource: record }),
      'b.ndjson': (record: object) => [bundleOf('collection', { resource: record })],
    })) {
      const tenant = newTenant()
      const { faults: refused } = await store.load(tenant, { [name]: wrap(tooLong) })
      assert.match(refused[0]!, new RegExp(`: longer than ${recordBytesMax} bytes$`), name)
      assert.deepEqual((await store.load(tenant, { [name]: wrap(longest!) })).counts.created, 1, name)
      const { body } = (await store.current(tenant)).get('Patient/long')!
      const again = await store.load(tenant, { 'exported.ndjson': `${body}\n` })
      assert.deepEqual([again.counts.unchanged, again.faults], [1, []], name)
    }
  })

  it('counts each record and deletion once', async () => {
    const tenant = newTenant()
    await store.load(tenant, { 'a.ndjson': [patient('same'), patient('changed'), patient('gone')] })
    const { counts } = await store.load(tenant, {
      'a.ndjson': [
        patient('same'),
        patient('changed', { gender: 'male' }),
        patient('new'),
        { resourceType: 'Patient' },
      ],
      'b.json': bundleOf('transaction', { request: { method: 'DELETE', url: 'Patient/gone' } }),
    })
    const { created, updated, unchanged, deleted, refused, read } = counts
    assert.deepEqual(
      { created, updated, unchanged, deleted, refused, read },
      {
        created: 1,
        updated: 1,
        unchanged: 1,
        deleted: 1,
        refused: 1,
        read: 5,
      },
    )
  })

  it('tells what belongs to nobody, though it needs a patient or names one', async () => {
    const lines = [
      { resourceType: 'Condition', id: 'a' },
      { resourceType: 'Observation', id: 'a', subject: { reference: 'Group/g' } },
      { resourceType: 'Observation', id: 'b', subject: { reference: 'Patient/p' } },
      { resourceType: 'Practitioner', id: 'a' },
      { resourceType: 'Coverage', id: 'a', beneficiary: { reference: 'https://elsewhere.example/Patient/p' } },
      { resourceType: 'Device', id: 'a' },
      { resourceType: 'Device', id: 'b', patient: { reference: 'https://elsewhere.example/Patient/p' } },
      { resourceType: 'Schedule', id: 'a', actor: [{ reference: 'Practitioner/a' }] },
      { resourceType: 'Schedule', id: 'b', actor: [{ reference: 'https://elsewhere.example/Patient/p' }] },
    ]
    const { orphaned } = await store.load(newTenant(), { 'a.ndjson': lines })
    assert.deepEqual(orphaned, { Condition: 1, Coverage: 1, Device: 1, Observation: 1, Schedule: 1 })
  })

  it('takes for ifNoneExist what the Bundle creates, where that has the identifier', async () => {
    const organization = (value: string, name: string, ifNoneExist?: string) => ({
      resource: { resourceType: 'Organization', identifier: [{ system: 's', value }], name },
      request: { method: 'POST', url: 'Organization', ...(ifNoneExist && { ifNoneExist }) },
    })
    const named = async (...entries: object[]) => {
      const tenant = newTenant()
      const { faults: said } = await store.load(tenant, { 'b.json': bundleOf('transaction', ...entries) })
      const bodies = [...(await store.current(tenant)).values()].map(({ body }) => JSON.parse(body).name)
      return [bodies.sort(), said]
    }
    const condition = 'identifier=s|1'
    const another = organization('1', 'second', condition)
    assert.deepEqual(await named(organization('1', 'first', condition), another), [['first'], []])
    assert.deepEqual(await named(organization('2', 'first', condition), another), [['first', 'second'], []])
    assert.deepEqual(await named(organization('1', 'first'), another), [['first'], []])
    assert.deepEqual(await named(organization('1', 'first'), organization('1', 'another'), another), [
      ['another', 'first'],
      ['b.json, entry[2]: several records match ifNoneExist; make them one, or give the entry an id with PUT'],
    ])
  })

  it('takes the record of the store that ifNoneExist means, and refuses to choose between several', async () => {
    const tenant = newTenant()
    const identifier = [{ system: 's', value: '1' }]
    const create = bundleOf(
      'batch',
      {
        fullUrl: `urn:uuid:${uuid}`,
        resource: { resourceType: 'Organization', identifier },
        request: { method: 'POST', url: 'Organization', ifNoneExist: 'identifier=s|1' },
      },
      {
        resource: patient('p', { managingOrganization: { reference: `urn:uuid:${uuid}` } }),
        request: { method: 'PUT', url: 'Patient/p' },
      },
    )
    await store.load(tenant, { 'o.ndjson': [{ resourceType: 'Organization', id: 'o', identifier }], 'b.json': create })
    const records = await store.current(tenant)
    assert.deepEqual([...records.keys()], ['Organization/o', 'Patient/p'])
    assert.match(records.get('Patient/p')!.body, /"reference":"Organization\/o"/)
    const { faults: refused } = await store.load(tenant, {
      'o.ndjson': [{ resourceType: 'Organization', id: 'o2', identifier }],
      'b.json': create,
    })
    assert.deepEqual(refused, [
      'b.json, entry[0]: several records match ifNoneExist; make them one, or give the entry an id with PUT',
      'b.json, entry[1]: it refers to an entry that is refused',
    ])
  })
})

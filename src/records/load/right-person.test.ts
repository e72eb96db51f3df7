import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { groupMembers } from '../../protocol/plan/group-members.ts'
import { bundleOf, LoadingStore, newTenant } from './loading.fixture.ts'
import { a, about, b, npi, patient, post, providers, synthea, urn } from './samples.fixture.ts'

const manyIdentifiers = Array.from({ length: 1_001 }, (_, value) => ({ system: 's', value: `${value}` }))

describe('every record comes to the person that its source means', () => {
  let store: LoadingStore
  before(async () => {
    store = await LoadingStore.open()
  })
  after(() => store.close())

  it('a POST never becomes the record that happens to have its id', async () => {
    const tenant = newTenant()
    await store.load(tenant, { 'p.ndjson': [patient('new', { gender: 'male' })] })
    const root = 'http://localhost:8080/fhir'
    const bundle = bundleOf(
      'transaction',
      { fullUrl: `${root}/Patient/new`, resource: patient('new'), request: post('Patient') },
      {
        fullUrl: `${root}/Condition/c`,
        resource: { resourceType: 'Condition', ...about('Patient/new') },
        request: post('Condition'),
      },
    )
    assert.equal((await store.load(tenant, { 'b.json': bundle })).counts.created, 2)
    const records = await store.current(tenant)
    const [condition] = [...records].filter(([key]) => key.startsWith('Condition/'))
    assert.notEqual(condition![1].owner, 'new')
    assert.ok(records.has(`Patient/${condition![1].owner}`))
    assert.match(records.get('Patient/new')!.body, /male/)
    // The same Bundle again finds the same records.
    const again = await store.load(tenant, { 'b.json': bundle })
    assert.deepEqual([again.counts.created, again.counts.unchanged, again.faults], [0, 2, []])
  })

  it('what refers to a POST that is refused is refused too, and never goes to the record that happens to have its id', async () => {
    const tenant = newTenant()
    await store.load(tenant, { 'p.ndjson': [patient('new')] })
    const bundle = bundleOf(
      'transaction',
      { resource: patient('new', { meta: [] }), request: { method: 'POST', url: 'Group' } },
      { resource: { resourceType: 'Condition', ...about('Patient/new') }, request: post('Condition') },
    )
    const { faults } = await store.load(tenant, { 'b.json': bundle })
    assert.deepEqual(faults, [
      'b.json, entry[0]: request.url is not the type of the resource',
      'b.json, entry[1]: it refers to an entry that is refused',
    ])
    assert.deepEqual([...(await store.current(tenant)).keys()], ['Patient/new'])
  })

  it('what refers to a PUT that is refused is refused too, by whatever name', async () => {
    const tenant = newTenant()
    await store.load(tenant, { 'p.ndjson': ['old', 'new', 'x'].map((id) => patient(id)) })
    const condition = (reference: string, fullUrl?: string) => ({
      ...(fullUrl && { fullUrl }),
      resource: { resourceType: 'Condition', ...about(reference) },
      request: post('Condition'),
    })
    const bundle = bundleOf(
      'transaction',
      { fullUrl: urn(a), resource: patient('old'), request: { method: 'PUT', url: 'Patient/new' } },
      condition('Patient/old'),
      condition('Patient/new'),
      condition(urn(a)),
      condition('Patient/new', 'http://x.example/Condition/c'),
      { resource: patient('x'), request: { method: 'PUT', url: 'Patient?identifier=s|1' } },
      condition('Patient/x'),
    )
    const { faults, counts } = await store.load(tenant, { 'b.json': bundle })
    assert.deepEqual(
      faults.filter((fault) => !fault.endsWith('it refers to an entry that is refused')),
      [
        'b.json, entry[0]: the resource is not the one that request.url names',
        'b.json, entry[5]: a request.url with a query cannot be loaded; name the record by Type/id',
      ],
    )
    assert.deepEqual([counts.refused, counts.created], [7, 0])
  })

  it('what refers to an entry that is refused for its content is refused too, and what refers to that', async () => {
    const tenant = newTenant()
    const c = '00000000-0000-4000-8000-00000000000c'
    const bundle = bundleOf(
      'transaction',
      { fullUrl: urn(a), resource: patient(a, { identifier: manyIdentifiers }), request: post('Patient') },
      {
        fullUrl: urn(c),
        resource: { resourceType: 'Observation', ...about(urn(a)), encounter: { reference: urn(b) } },
        request: post('Observation'),
      },
      { fullUrl: urn(b), resource: { resourceType: 'Encounter', ...about(urn(a)) }, request: post('Encounter') },
      { resource: { resourceType: 'Basic', ...about(urn(b)) }, request: post('Basic') },
      { resource: { resourceType: 'Basic' }, request: post('Basic') },
    )
    const { faults, counts } = await store.load(tenant, { 'b.json': bundle })
    const refers = 'it refers to an entry that is refused'
    assert.deepEqual(faults, [
      'b.json, entry[0]: more than 1000 identifiers',
      ...[1, 2, 3].map((index) => `b.json, entry[${index}]: ${refers}`),
    ])
    assert.deepEqual([counts.refused, counts.created], [4, 1])
  })

  it('a version of a history that is refused leaves what refers to the others', async () => {
    const tenant = newTenant()
    const history = bundleOf(
      'history',
      {
        fullUrl: 'http://x.example/Condition/c',
        resource: { resourceType: 'Condition', id: 'c', ...about('Patient/h') },
      },
      { fullUrl: 'http://x.example/Patient/h', resource: patient('h') },
      { fullUrl: 'http://x.example/Patient/h', resource: patient('h', { identifier: manyIdentifiers }) },
      { fullUrl: 'http://x.example/Patient/h', request: { method: 'PUT', url: 'Patient/h' } },
    )
    const { faults, counts } = await store.load(tenant, { 'h.json': history })
    assert.deepEqual([faults.length, counts.created], [2, 2])
    assert.equal((await store.current(tenant)).get('Condition/c')!.owner, 'h')
  })

  for (const fullUrl of ['http://x.example/Patient/new', 'http://x.example/Patient/new/_history/2']) {
    it(`an entry that is known by ${fullUrl} alone is found by Type/id from one without a root`, async () => {
      const tenant = newTenant()
      await store.load(tenant, { 'p.ndjson': [patient('new', { gender: 'male' })] })
      const bundle = bundleOf(
        'transaction',
        { fullUrl, resource: { resourceType: 'Patient' }, request: post('Patient') },
        {
          fullUrl: urn(b),
          resource: { resourceType: 'Condition', ...about('Patient/new') },
          request: post('Condition'),
        },
      )
      assert.equal((await store.load(tenant, { 'b.json': bundle })).counts.created, 2)
      const { owner } = (await store.current(tenant)).get(`Condition/${b}`)!
      assert.ok(owner !== 'new' && owner !== '', owner)
    })
  }

  it('the newest version of a history is the current one, and loading it again changes nothing', async () => {
    const tenant = newTenant()
    const version = (versionId: string, gender: string) => ({
      fullUrl: 'http://localhost:8080/fhir/Patient/h1',
      resource: patient('h1', { meta: { versionId, lastUpdated: `2024-0${versionId}-01T00:00:00Z` }, gender }),
      request: { method: 'PUT', url: 'Patient/h1' },
    })
    const history = bundleOf('history', version('2', 'female'), version('1', 'male'))
    for (const counts of [
      [1, 1, 0],
      [0, 0, 2],
    ]) {
      const { counts: found } = await store.load(tenant, { 'h.json': history })
      assert.deepEqual([found.created, found.updated, found.unchanged], counts)
      const record = (await store.current(tenant)).get('Patient/h1')!
      assert.match(record.body, /"gender":"female"/)
      assert.equal(record.version, 2)
    }
  })

  it('a deletion is the newest version of a history', async () => {
    const tenant = newTenant()
    const gone = { fullUrl: 'http://x.example/Patient/h', request: { method: 'DELETE', url: 'Patient/h' } }
    const history = bundleOf('history', gone, { fullUrl: 'http://x.example/Patient/h', resource: patient('h') })
    await store.load(tenant, { 'p.ndjson': [patient('h')], 'h.json': history })
    assert.deepEqual([...(await store.current(tenant)).keys()], [])
  })

  it('an older version never overwrites a newer one, with --keep-last-updated', async () => {
    const tenant = newTenant()
    const version = (lastUpdated: string, gender: string) => patient('s2', { meta: { lastUpdated }, gender })
    const lines = [version('2024-02-01T00:00:00Z', 'female'), version('2024-01-01T00:00:00Z', 'male')]
    for (const older of [1, 1]) {
      const { counts } = await store.load(tenant, { 'p.ndjson': lines }, { keepLastUpdated: true })
      assert.equal(counts.older, older)
      const record = (await store.current(tenant)).get('Patient/s2')!
      assert.match(record.body, /female/)
      assert.equal(record.updated, '2024-02-01T00:00:00.000Z')
    }
  })

  it('a time that is none, or still to come, is replaced by that of the load', async () => {
    const tenant = newTenant()
    const started = new Date().toISOString()
    const times = { past: '2001-01-01T00:00:00Z', future: '2999-01-01T00:00:00Z', none: 'yesterday' }
    const lines = Object.entries(times).map(([id, lastUpdated]) => patient(id, { meta: { lastUpdated } }))
    const { counts } = await store.load(tenant, { 'p.ndjson': lines }, { keepLastUpdated: true })
    assert.equal(counts.lastUpdatedReplaced, 2)
    const records = await store.current(tenant)
    const updated = (id: string) => records.get(`Patient/${id}`)!.updated
    assert.equal(updated('past'), '2001-01-01T00:00:00.000Z')
    for (const id of ['future', 'none']) assert.ok(updated(id) >= started.slice(0, 19) && updated(id) < '2990')
  })

  it('an absolute reference under the base of its Bundle means a record of its source', async () => {
    const tenant = newTenant()
    const root = 'https://ehr.example.org/fhir'
    const condition = { resourceType: 'Condition', id: 'bc1', ...about(`${root}/Patient/bp1`) }
    const searchset = bundleOf(
      'searchset',
      { fullUrl: `${root}/Patient/bp1`, resource: patient('bp1') },
      { fullUrl: `${root}/Condition/bc1`, resource: condition },
    )
    await store.load(tenant, { 'b.json': searchset })
    const { owner, body } = (await store.current(tenant)).get('Condition/bc1')!
    assert.equal(owner, 'bp1')
    assert.deepEqual(JSON.parse(body).subject, { reference: 'Patient/bp1' })
  })

  it('but under another root of its Bundle it never means a record of the first with the same Type/id', async () => {
    const [one, two] = ['https://a.example.org/fhir', 'https://b.example.org/fhir']
    const collection = bundleOf(
      'collection',
      { fullUrl: `${one}/Patient/1`, resource: patient('1') },
      {
        fullUrl: `${two}/Condition/c`,
        resource: { resourceType: 'Condition', id: 'c', ...about(`${two}/Patient/1/_history/2`) },
      },
      {
        fullUrl: `${two}/Condition/d`,
        resource: { resourceType: 'Condition', id: 'd', ...about(`${two}/Patient/other`) },
      },
    )
    const tenant = newTenant()
    const { references } = await store.load(tenant, { 'b.json': collection })
    const records = await store.current(tenant)
    assert.deepEqual(
      ['c', 'd'].map((id) => records.get(`Condition/${id}`)!.owner),
      ['', 'other'],
    )
    const open = { record: 'Condition/c', names: 'Patient', because: 'nothing matches' }
    assert.deepEqual(references.open, { count: 1, first: [open] })
    const known = newTenant()
    await store.load(known, { 'b.json': collection }, { sourceBases: [one, two] })
    assert.equal((await store.current(known)).get('Condition/c')!.owner, '1')
  })

  it('an absolute reference of a line does so under --source-base, and belongs to nobody without it', async () => {
    const tenant = newTenant()
    const root = 'https://ehr.example.org/fhir'
    const sources = {
      'a.ndjson': [patient('p'), { resourceType: 'Condition', id: 'c', ...about(`${root}/Patient/p`) }],
    }
    assert.deepEqual((await store.load(tenant, sources)).orphaned, { Condition: 1 })
    const known = newTenant()
    assert.deepEqual((await store.load(known, sources, { sourceBases: [root] })).orphaned, {})
    assert.equal((await store.current(known)).get('Condition/c')!.owner, 'p')
  })

  for (const [what, form, sourceBases] of [
    ['lines under --source-base', 'lines', ['https://ehr.example.org/fhir/deep', 'https://ehr.example.org/fhir']],
    ['a resource under --source-base', 'resource', ['https://ehr.example.org/fhir']],
    ['lines with escaped slashes', 'escaped', ['https://ehr.example.org/fhir']],
    ['a Bundle of that root', 'Bundle', []],
  ] as const) {
    it(`who reads a record later needs no base of its source: members of a Group, of ${what}`, async () => {
      const tenant = newTenant()
      const root = 'https://ehr.example.org/fhir'
      const members = ['p1', 'p2/_history/3', 'p3'].map((id) => ({ entity: { reference: `${root}/Patient/${id}` } }))
      const foreign = { entity: { reference: 'https://elsewhere.example.org/fhir/Patient/p1' } }
      const group = { resourceType: 'Group', id: 'g', type: 'person', actual: true, member: [...members, foreign] }
      const patients = ['p1', 'p2'].map((id) => patient(id))
      const line = JSON.stringify(group)
      const entries = [...patients, group].map((resource) => ({
        fullUrl: `${root}/${resource.resourceType}/${resource.id}`,
        resource,
      }))
      const sources = {
        lines: { 'a.ndjson': [group, ...patients] },
        resource: { 'a.json': group, 'b.ndjson': patients },
        escaped: { 'a.ndjson': `${line.replaceAll('/', '\\/')}\n`, 'b.ndjson': patients },
        Bundle: { 'a.json': bundleOf('collection', ...entries) },
      }[form]
      for (const changed of [3, 0]) {
        const { counts, faults } = await store.load(tenant, sources, { sourceBases })
        assert.deepEqual([counts.created + counts.updated, faults], [changed, []])
      }
      const { body } = (await store.current(tenant)).get('Group/g')!
      const read = groupMembers(JSON.parse(body), { bases: ['https://millrace.example.org/r4/t'], at: 0 })
      assert.ok('patients' in read)
      assert.deepEqual([read.patients, read.unresolved], [['p1', 'p2', 'p3'], ['elsewhere']])
    })
  }

  it('a Bundle changes what means its entries, as over HTTP, and no canonical URL; lines without --source-base stay to the letter', async () => {
    const tenant = newTenant()
    const root = 'https://ehr.example.org/fhir'
    const report = {
      resourceType: 'DiagnosticReport',
      id: 'r',
      text: { div: `<div><a href="${root}/Patient/p">p</a> <a href="${root}/Patient/other">other</a></div>` },
      ...about(`${root}/Patient/p/_history/2`),
      presentedForm: [{ url: `${root}/Binary/b` }, { url: `${root}/Binary/other` }],
    }
    const entries = [patient('p'), { resourceType: 'Binary', id: 'b' }, report].map((resource) => ({
      fullUrl: `${root}/${resource.resourceType}/${resource.id}`,
      resource,
    }))
    const valueSet = { resourceType: 'ValueSet', id: 'v', url: `${root}/ValueSet/v` }
    const bundle = bundleOf('collection', ...entries, { fullUrl: valueSet.url, resource: valueSet })
    await store.load(tenant, { 'b.json': bundle })
    const records = await store.current(tenant)
    const { text, subject, presentedForm } = JSON.parse(records.get('DiagnosticReport/r')!.body)
    assert.deepEqual(
      [text.div, subject.reference, presentedForm],
      [
        `<div><a href="Patient/p">p</a> <a href="${root}/Patient/other">other</a></div>`,
        'Patient/p',
        [{ url: 'Binary/b' }, { url: `${root}/Binary/other` }],
      ],
    )
    assert.equal(JSON.parse(records.get('ValueSet/v')!.body).url, valueSet.url)
    const plain = newTenant()
    await store.load(plain, { 'a.ndjson': [report] })
    const { meta, ...kept } = JSON.parse((await store.current(plain)).get('DiagnosticReport/r')!.body)
    assert.deepEqual([kept, meta.versionId], [report, '1'])
  })

  for (const order of ['patients first', 'providers first']) {
    it(`references by identifier are resolved in any order of the files: ${order}`, async () => {
      const tenant = newTenant()
      const sources = { 'a.json': synthea, 'b.json': providers }
      const ordered = order === 'patients first' ? sources : { 'b.json': providers, 'a.json': synthea }
      const loaded = await store.load(tenant, ordered)
      assert.deepEqual([loaded.references.resolved, loaded.references.open.count], [1, 0])
      const { owner, body } = (await store.current(tenant)).get(`Encounter/${b}`)!
      assert.equal(owner, a)
      assert.match(body, /"reference":"Practitioner\/00000000-0000-4000-8000-00000000000c"/)
      const again = await store.load(tenant, ordered)
      assert.deepEqual([again.counts.created, again.counts.updated, again.counts.found, again.faults], [0, 0, 1, []])
    })
  }

  it('two Bundles that give different people the same URN: the second is refused as a whole', async () => {
    const other = bundleOf(
      'transaction',
      { fullUrl: urn(b), resource: { resourceType: 'Condition', ...about(urn(a)) }, request: post('Condition') },
      { fullUrl: urn(a), resource: patient(a, { gender: 'female' }), request: post('Patient') },
    )
    const first = { 'a.json': synthea }
    const refusal = /^b\.json: the Bundle is refused: entry\[1\]: another record has this id already/
    const apart = newTenant()
    await store.load(apart, first)
    for (const { faults, counts } of [
      await store.load(apart, { 'b.json': other }),
      // In one run, while the first may still be on its way.
      await store.load(newTenant(), { ...first, 'b.json': other }),
    ]) {
      assert.match(faults[0]!, refusal)
      assert.deepEqual([faults.length, counts.refused], [1, 2])
    }
    assert.deepEqual([...(await store.current(apart)).keys()], [`Encounter/${b}`, `Patient/${a}`])
  })

  it('so it is when the first one still waits for the end of the load', async () => {
    const held = (gender: string) =>
      bundleOf('transaction', {
        fullUrl: urn(a),
        resource: patient(a, { gender, generalPractitioner: [{ reference: `Practitioner?identifier=${npi}|9` }] }),
        request: post('Patient'),
      })
    const tenant = newTenant()
    const loaded = await store.load(tenant, {
      'a.json': held('male'),
      'b.json': held('female'),
      'c.json': held('male'),
    })
    assert.equal(loaded.faults.length, 1)
    assert.deepEqual([loaded.counts.created, loaded.counts.unchanged, loaded.counts.refused], [1, 1, 1])
    assert.match((await store.current(tenant)).get(`Patient/${a}`)!.body, /"male"/)
  })

  it('deletions are loaded, as exports write them', async () => {
    const tenant = newTenant()
    await store.load(tenant, { 'p.ndjson': [patient('p1'), patient('p2')] })
    const deleted = [
      bundleOf(
        'transaction',
        { request: { method: 'DELETE', url: 'Patient/p1' } },
        { request: { method: 'DELETE', url: 'Patient/p9' } },
      ),
    ]
    const { counts } = await store.load(tenant, { 'deleted.ndjson': deleted })
    assert.deepEqual([counts.deleted, counts.absent, counts.read], [1, 1, 2])
    assert.deepEqual([...(await store.current(tenant)).keys()], ['Patient/p2'])
  })

  it('a document is taken apart, its entries without ids too', async () => {
    const document = bundleOf(
      'document',
      { fullUrl: urn(a), resource: { resourceType: 'Composition', ...about(urn(b)), title: 'CCD' } },
      { fullUrl: urn(b), resource: { resourceType: 'Patient' } },
      { resource: { resourceType: 'Observation', ...about(urn(b)) } },
    )
    for (const [name, content] of [
      ['d.json', document],
      ['d.ndjson', [document]],
      ['d.json.gz', gzipSync(JSON.stringify(document))],
      ['d', gzipSync(JSON.stringify(document))],
    ] as const) {
      const tenant = newTenant()
      const loaded = await store.load(tenant, { [name]: content })
      assert.deepEqual([loaded.counts.created, loaded.faults], [3, []], name)
      assert.match(loaded.files.first[0]!.form, /^Bundle of type document/)
      const owners = [...(await store.current(tenant)).values()].map(({ owner }) => owner)
      assert.deepEqual(owners, [b, b, b])
    }
  })

  it('a Bundle is a record of its own only by choice, and one that deletes never', async () => {
    const tenant = newTenant()
    const kept = { ...bundleOf('document', { fullUrl: urn(a), resource: patient(a) }), id: 'd' }
    const deleting = bundleOf('transaction', { request: { method: 'DELETE', url: 'Patient/p' } })
    await store.load(tenant, { 'p.ndjson': [patient('p')] })
    await store.load(tenant, { 'b.ndjson': [kept, deleting] }, { keepBundles: true })
    assert.deepEqual([...(await store.current(tenant)).keys()], ['Bundle/d'])
  })
})

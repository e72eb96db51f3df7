import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { bundleOf, LoadingStore, newTenant } from '../loading.fixture.ts'
import { a, about, b, npi, patient, post, practitioner, providers, synthea } from '../samples.fixture.ts'

describe('references by identifier are resolved when all of a load is there', () => {
  let store: LoadingStore
  before(async () => {
    store = await LoadingStore.open()
  })
  after(() => store.close())

  it('what was open the last time is the same record, and is resolved when it can be', async () => {
    const tenant = newTenant()
    const first = await store.load(tenant, { 'a.json': synthea })
    const open = { record: `Encounter/${b}`, names: 'Practitioner', because: 'nothing matches' }
    assert.deepEqual(first.references, { resolved: 0, open: { count: 1, first: [open] } })
    const second = await store.load(tenant, { 'a.json': synthea, 'b.json': providers })
    assert.deepEqual([second.counts.updated, second.references.resolved, second.faults], [1, 1, []])
    assert.match((await store.current(tenant)).get(`Encounter/${b}`)!.body, /"reference":"Practitioner\/0/)
  })

  it('a POST is no other record of which only the target of a reference differs', async () => {
    const tenant = newTenant()
    const encounter = (reference: string) => ({
      resourceType: 'Encounter',
      id: b,
      ...about(`Patient/${a}`),
      participant: [{ individual: { reference } }],
    })
    await store.load(tenant, {
      'a.ndjson': [patient(a), practitioner('seven', '7'), practitioner('nine', '9'), encounter('Practitioner/seven')],
    })
    const { faults, counts } = await store.load(tenant, { 'b.json': synthea })
    assert.match(faults[0]!, /^b\.json: the Bundle is refused: entry\[1\]: another record has this id already/)
    assert.deepEqual([counts.updated, counts.created, counts.refused], [0, 0, 2])
    assert.match((await store.current(tenant)).get(`Encounter/${b}`)!.body, /Practitioner\/seven/)
    // What the condition means is the same record.
    await store.load(tenant, { 'a.ndjson': [encounter('Practitioner/nine')] })
    assert.deepEqual((await store.load(tenant, { 'b.json': synthea })).faults, [])
  })

  it('one of several matches is never picked, wherever they stand', async () => {
    const tenant = newTenant()
    const lines = [
      practitioner('x', '9'),
      {
        resourceType: 'Encounter',
        id: 'e',
        participant: [{ individual: { reference: `Practitioner?identifier=${npi}|9` } }],
      },
      practitioner('y', '9'),
    ]
    const { references } = await store.load(tenant, { 'a.ndjson': lines })
    assert.equal(references.open.first[0]?.because, 'several match')
    assert.match((await store.current(tenant)).get('Encounter/e')!.body, /Practitioner\?identifier/)
  })

  it('records that wait may name one another, and come in their order', async () => {
    const tenant = newTenant()
    const named = (id: string, other: string, gender: string) =>
      patient(id, {
        gender,
        identifier: [{ system: 's', value: id }],
        link: [{ other: { reference: `Patient?identifier=s|${other}` } }],
      })
    const identifier = [{ system: 's', value: 'one' }]
    const lines = [
      named('one', 'two', 'male'),
      named('two', 'one', 'male'),
      patient('one', { gender: 'female', identifier }),
    ]
    const loaded = await store.load(tenant, { 'a.ndjson': lines })
    assert.deepEqual([loaded.references.open.count, loaded.counts.read], [0, 3])
    const records = await store.current(tenant)
    assert.match(records.get('Patient/two')!.body, /"reference":"Patient\/one"/)
    assert.match(records.get('Patient/one')!.body, /female/)
    assert.deepEqual([records.get('Patient/one')!.version, records.get('Patient/two')!.version], [2, 2])
    // What a record was known by before does not count.
    const last = await store.load(newTenant(), { 'a.ndjson': [...lines, patient('one')] })
    assert.deepEqual([last.references.open.count, last.references.open.first[0]?.record], [1, 'Patient/two'])
  })

  /** A Bundle that asks the store for an identifier of patients who wait, so that they are written as they are. */
  const asking = (value: string) =>
    bundleOf('transaction', {
      resource: patient('x', { identifier: [{ system: 's', value }] }),
      request: { ...post('Patient'), ifNoneExist: `identifier=s|${value}` },
    })
  const waiting = (id: string, more: object = {}) =>
    patient(id, {
      identifier: [{ system: 's', value: id }],
      generalPractitioner: [{ reference: `Practitioner?identifier=${npi}|9` }],
      ...more,
    })
  const deletion = (id: string) => bundleOf('transaction', { request: { method: 'DELETE', url: `Patient/${id}` } })
  /** Of each version of a patient: the gender and whose patient it is, or that it is deleted. */
  const versionsOf = async (tenant: string, id: string): Promise<string[]> => {
    const { rows } = await store.database.pool.query(
      "select deleted, body from record where tenant = $1 and type = 'Patient' and id = $2 and lead order by version",
      [tenant, id],
    )
    return rows.map(({ deleted, body }) => {
      if (deleted) return 'deleted'
      const { gender, generalPractitioner } = JSON.parse(body)
      return `${gender} ${generalPractitioner?.[0].reference.replace(/\?.*/, '?')}`
    })
  }

  it('what was written as it came is resolved once, in its newest version', async () => {
    const tenant = newTenant()
    const { counts, faults, references } = await store.load(tenant, {
      'a.ndjson': [waiting('p', { gender: 'male' }), waiting('p', { gender: 'female' })],
      'b.json': asking('p'),
      'c.ndjson': [waiting('p', { gender: 'other' }), practitioner('n', '9')],
    })
    assert.deepEqual([counts.read, counts.found, references.resolved, faults], [5, 1, 1, []])
    assert.deepEqual(await versionsOf(tenant, 'p'), [
      'male Practitioner?',
      'female Practitioner?',
      'other Practitioner?',
      'other Practitioner/n',
    ])
  })

  it('nothing that is deleted reappears', async () => {
    const tenant = newTenant()
    const { faults } = await store.load(tenant, {
      'a.ndjson': [waiting('p', { gender: 'male' }), deletion('p')],
      'b.ndjson': [waiting('q', { gender: 'male' })],
      'c.json': asking('q'),
      'd.ndjson': [deletion('q'), practitioner('n', '9')],
      'e.ndjson': [waiting('r', { gender: 'male' })],
    })
    assert.deepEqual(faults, [])
    assert.deepEqual(await versionsOf(tenant, 'p'), ['male Practitioner?', 'deleted'])
    assert.deepEqual(await versionsOf(tenant, 'q'), ['male Practitioner?', 'deleted'])
    assert.deepEqual(await versionsOf(tenant, 'r'), ['male Practitioner/n'])
  })

  it('what was resolved before stands while the same is loaded again, though others ask for it', async () => {
    const tenant = newTenant()
    const files = {
      'a.ndjson': [
        {
          resourceType: 'Observation',
          id: 'o',
          identifier: [{ system: 's', value: 'o' }],
          ...about('Patient?identifier=s|q'),
        },
        {
          resourceType: 'Observation',
          id: 'p',
          ...about('Patient?identifier=s|q'),
          hasMember: [{ reference: 'Observation?identifier=s|o' }],
        },
        patient('q', { identifier: [{ system: 's', value: 'q' }] }),
      ],
    }
    await store.load(tenant, files)
    const before = await store.current(tenant)
    const { counts } = await store.load(tenant, files)
    assert.deepEqual([counts.created, counts.updated, counts.unchanged], [0, 0, 3])
    assert.equal((await store.current(tenant)).get('Observation/o')!.version, before.get('Observation/o')!.version)
    assert.match(before.get('Observation/p')!.body, /"reference":"Observation\/o"/)
    // What is new in the text is written, and resolved again.
    const changed = {
      'a.ndjson': files['a.ndjson'].map((each) => (each.id === 'o' ? { ...each, status: 'final' } : each)),
    }
    const again = await store.load(tenant, changed)
    assert.deepEqual([again.counts.updated, again.counts.unchanged], [1, 2])
    assert.match((await store.current(tenant)).get('Observation/o')!.body, /"reference":"Patient\/q".*final/)
  })

  it('versions of a record come in their order though only a later one is asked for', async () => {
    const tenant = newTenant()
    const { faults } = await store.load(tenant, {
      'a.ndjson': [
        waiting('p', { gender: 'male', identifier: [] }),
        waiting('p', { gender: 'female' }),
        waiting('p', { gender: 'other', identifier: [] }),
        patient('q', { link: [{ other: { reference: 'Patient?identifier=s|p' } }] }),
        practitioner('n', '9'),
      ],
    })
    assert.deepEqual(faults, [])
    const genders = (await versionsOf(tenant, 'p')).map((version) => version.replace(/ .*/, ''))
    assert.deepEqual(genders, ['male', 'female', 'other', 'other'])
  })

  it('the version that the source has last is resolved, though an older one comes behind it', async () => {
    const tenant = newTenant()
    const at = (lastUpdated: string, gender: string) => waiting('p', { meta: { lastUpdated }, gender })
    const { counts, faults } = await store.load(
      tenant,
      {
        'a.ndjson': [at('2024-02-01T00:00:00Z', 'female'), at('2024-01-01T00:00:00Z', 'male')],
        'b.json': asking('p'),
        'c.ndjson': [practitioner('n', '9')],
      },
      { keepLastUpdated: true },
    )
    assert.deepEqual([counts.older, faults], [1, []])
    assert.deepEqual(await versionsOf(tenant, 'p'), ['female Practitioner?', 'female Practitioner/n'])
  })

  it('a conditional subject makes its patient the owner', async () => {
    const tenant = newTenant()
    const lines = [
      { resourceType: 'Condition', id: 'c', ...about('Patient?identifier=mrn|7') },
      patient('p', { identifier: [{ system: 'mrn', value: '7' }] }),
    ]
    await store.load(tenant, { 'a.ndjson': lines })
    assert.equal((await store.current(tenant)).get('Condition/c')!.owner, 'p')
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openTestStore, type TestStore } from '../database/store.fixture.ts'
import { type Draft, draftOf } from './draft.ts'
import { type OwnerlessBounds, ownerlessBounds, ownerlessCount, ownerlessCounts } from './ownerless.ts'
import { write } from './write/write.ts'

const tenant = 'nobody'

function draft(resource: Record<string, unknown>): Draft {
  const found = draftOf(JSON.stringify(resource), [])
  assert.ok('text' in found)
  return found
}

const condition = (number: number): Draft =>
  draft({
    resourceType: 'Condition',
    id: `c${number}`,
    subject: { reference: 'Group/g' },
    note: [{ text: number < 3 ? 'few' : 'many' }],
  })

const device = (id: string, patient?: string): Draft =>
  draft({ resourceType: 'Device', id, ...(patient === undefined ? {} : { patient: { reference: patient } }) })

describe('records that are nobody’s', () => {
  let store: TestStore
  let asOf: number

  before(async () => {
    store = await openTestStore()
    const { pool } = store
    const drafts = [
      ...Array.from({ length: 10 }, (_, number) => condition(number)),
      ...['d0', 'd1', 'd2', 'd3'].map((id) => device(id)),
      device('d4', 'Patient?identifier=s|v'),
      device('d5', 'https://elsewhere.example/Patient/p'),
      device('d6', 'urn:uuid:3f0a2f7e-0000-4000-8000-000000000000'),
    ]
    await write(
      pool,
      tenant,
      drafts.map((each) => ({ kind: 'put', draft: each })),
    )
    const { rows } = await pool.query<{ at: Date }>('select max(written) as at from record')
    asOf = rows[0]!.at.getTime()
  })

  after(() => store.close())

  const counted = async (bounds: Partial<OwnerlessBounds>) => [
    ...(await ownerlessCounts(
      store.pool,
      { tenant, asOf, types: ['Condition', 'Device', 'Goal'] },
      { ...ownerlessBounds, ...bounds },
    )),
  ]

  const countedOf = (counts: string, bounds: Partial<OwnerlessBounds>) =>
    ownerlessCount(store.pool, { tenant, asOf, type: 'Condition' }, (body) => body.includes(counts), {
      ...ownerlessBounds,
      ...bounds,
    })

  it('are counted by type, Devices only where somebody is named', async () => {
    assert.deepEqual(await counted({}), [
      ['Condition', { records: 10, more: false }],
      ['Device', { records: 3, more: false }],
    ])
  })

  it('are counted no further than a bound', async () => {
    assert.deepEqual(await counted({ countedMax: 9 }), [
      ['Condition', { records: 9, more: true }],
      ['Device', { records: 3, more: false }],
    ])
    assert.deepEqual((await counted({ countedMax: 10 }))[0], ['Condition', { records: 10, more: false }])
  })

  it('are looked at no further than a bound, whether they count or not', async () => {
    assert.deepEqual(await counted({ lookedAtMax: 5 }), [
      ['Condition', { records: 5, more: true }],
      ['Device', { records: 1, more: true }],
    ])
    assert.deepEqual((await counted({ lookedAtMax: 3 }))[1], ['Device', { records: 0, more: true }])
  })

  it('are read no further than the bounds where their bodies tell which count', async () => {
    assert.deepEqual(await countedOf('few', {}), { records: 3, more: false })
    assert.deepEqual(await countedOf('many', { countedMax: 6 }), { records: 6, more: true })
    assert.deepEqual(await countedOf('many', { countedMax: 7 }), { records: 7, more: false })
    assert.deepEqual(await countedOf('many', { bodiesMax: 5 }), { records: 2, more: true })
  })
})

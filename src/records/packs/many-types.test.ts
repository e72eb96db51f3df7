import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { allTypes } from '../../fhir/resource-types.ts'
import { draftOf } from '../draft.ts'
import { storeDrafts } from '../load/store-drafts.ts'
import { wideLines } from '../load/wide-lines.fixture.ts'
import { ownerSizes } from '../owner-sizes.ts'
import { dropPacks } from './drop-packs.ts'
import { manyTypesMin, type PackDemand } from './pack-demand.ts'
import { packChanged } from './packer.ts'
import { packsOfOwners } from './stored-packs.ts'

const tenant = 'clinic'
const owners = ['p', 'q', 'r', 'nobody']
/** Types of which the owners have records; two of them are asked for. */
const held = ['Account', 'Appointment', 'Composition', 'Coverage', 'Provenance', 'RelatedPerson', 'ServiceRequest']
const asked = ['Appointment', 'ServiceRequest']
const others = allTypes.filter((type) => !held.includes(type))

const demandOf = (types: readonly string[]): PackDemand => ({
  ...{ tenant, types, chosen: [], inflated: [], whole: [], alone: false, asOf: Date.UTC(2200, 0, 1) },
})

describe('packs of few types and of many', () => {
  let store: TestStore
  before(async () => {
    store = await openTestStore()
    const { records, provenances } = wideLines(owners.slice(0, 3), 20)
    const drafts = [...records, ...provenances].map((line) => draftOf(line, [])).filter((draft) => 'text' in draft)
    await storeDrafts(store.pool, tenant, drafts, false, () => {})
  })
  after(() => store.close())

  /** What is found of so many types, of which only two are there. */
  async function found(count: number) {
    const demand = demandOf([...asked, ...others.slice(0, count - asked.length)])
    const packs: string[] = []
    for await (const some of packsOfOwners(store.pool, { ...demand, owners }))
      for (const { owner, type, packs: each } of some) packs.push(`${owner} ${type} ${each.map(({ crc }) => crc)}`)
    const sizes = await ownerSizes(store.pool, owners, demand)
    return { packs, sizes: sizes.toSorted((a, b) => (a.owner < b.owner ? -1 : 1)) }
  }

  async function same() {
    const counts = [manyTypesMin - 1, manyTypesMin, manyTypesMin + 1, others.length]
    const [first, ...rest] = await Promise.all(counts.map(found))
    for (const [index, each] of rest.entries()) assert.deepEqual(each, first, `${counts[index + 1]} types`)
    return first!
  }

  it('are the same, and so is what owners have', async () => {
    const bare = await same()
    assert.deepEqual([bare.packs, bare.sizes.map(({ owner }) => owner)], [[], ['p', 'q', 'r']])
    await packChanged(store.pool, { tenant, settledMs: 0 }, () => true)
    const packed = await same()
    assert.deepEqual(
      packed.packs.map((pack) => pack.split(' ', 2).join(' ')),
      ['p', 'q', 'r'].flatMap((owner) => ['', ...asked].map((type) => `${owner} ${type}`)),
    )
    assert.ok(packed.sizes.every(({ packed: bytes }) => bytes > 0))
    await dropPacks(store.pool, tenant, [
      { owner: 'p', type: 'Appointment' },
      { owner: 'q', type: 'Coverage' },
    ])
    const partly = await same()
    assert.deepEqual([partly.packs.length, partly.sizes.map(({ owner }) => owner)], [8, ['p', 'q', 'r']])
  })
})

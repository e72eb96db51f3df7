import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { transaction } from '../../database/transaction.ts'
import { draftOf } from '../draft.ts'
import { write } from '../write/write.ts'
import { absencePack, absencePacks, absenceType, presentTypes } from './absence-pack.ts'
import { dropPacks } from './drop-packs.ts'
import { packChanged } from './packer.ts'
import { insertPacks } from './stored-packs.ts'

const tenant = 'a'
const other = 'b'

describe('the pack of no type', () => {
  let store: TestStore

  before(async () => {
    store = await openTestStore()
  })
  after(() => store.close())

  async function put(of: string, type: string, id: string, patient: string): Promise<void> {
    const draft = draftOf(JSON.stringify({ resourceType: type, id, subject: { reference: `Patient/${patient}` } }), [])
    assert.ok('text' in draft)
    await write(store.pool, of, [{ kind: 'put', draft }])
  }

  /** What the pack of an owner names. */
  async function named(owner: string): Promise<string[]> {
    const [pack] = await transaction(store.pool, (client) => absencePacks(client, tenant, [owner]))
    assert.deepEqual([pack!.owner, pack!.type], [owner, absenceType])
    return [...presentTypes(pack!)]
  }

  it('names the types with a version, a pack or a mark, and no others', async () => {
    assert.deepEqual(await named('p1'), [])
    await put(tenant, 'Condition', 'c1', 'p1')
    assert.deepEqual(await named('p1'), ['Condition'])
    await packChanged(store.pool, { tenant, settledMs: 0 }, () => true)
    assert.deepEqual(await named('p1'), ['Condition'])
    await write(store.pool, tenant, [{ kind: 'delete', key: { type: 'Condition', id: 'c1' } }])
    await store.pool.query('delete from pack; delete from unpacked')
    assert.deepEqual(await named('p1'), ['Condition'])

    await dropPacks(store.pool, tenant, [{ owner: 'p1', type: 'Goal' }])
    assert.deepEqual(await named('p1'), ['Condition', 'Goal'])
    await transaction(store.pool, (client) =>
      insertPacks(client, tenant, [{ ...absencePack('p1', []), type: 'Observation' }]),
    )
    assert.deepEqual(await named('p1'), ['Condition', 'Goal', 'Observation'])
    await store.pool.query('delete from unpacked')
    assert.deepEqual(await named('p1'), ['Condition', 'Observation'])
  })

  it('is nothing of other owners and tenants', async () => {
    await put(tenant, 'Condition', 'c2', 'p2')
    await put(other, 'Goal', 'g3', 'p3')
    assert.deepEqual(await named('p3'), [])
  })

  it('goes with the first record of a type that it does not name, and not with later ones', async () => {
    const stored = async () => {
      const { rows } = await store.pool.query(
        `select (select count(*)::int from pack where tenant = $1 and owner = 'p4' and type = '') as packs,
           (select count(*)::int from unpacked where tenant = $1 and owner = 'p4' and type = '') as marks`,
        [tenant],
      )
      return rows[0]
    }
    await put(tenant, 'Condition', 'c4', 'p4')
    assert.deepEqual(await stored(), { packs: 0, marks: 1 })
    await packChanged(store.pool, { tenant, settledMs: 0 }, () => true)
    assert.deepEqual(await stored(), { packs: 1, marks: 0 })
    await put(tenant, 'Condition', 'c5', 'p4')
    assert.deepEqual(await stored(), { packs: 1, marks: 0 })
    await put(tenant, 'Goal', 'g4', 'p4')
    assert.deepEqual(await stored(), { packs: 0, marks: 1 })
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openTestStore, type TestStore } from '../../../database/store.fixture.ts'
import { population } from '../../../population/population.ts'
import { type Draft, draftOfLine } from '../../draft.ts'
import { SharedBuffers } from '../../load/shared-buffers.ts'
import { NewRecordsBuilder } from '../../write/new/new-records-builder.ts'
import { writeNewRecords } from '../../write/new/write-new-records.ts'
import { write } from '../../write/write.ts'
import { dropAllPacks } from '../drop-packs.ts'
import { packChanged } from '../packer.ts'
import { FreshPacks } from './fresh-packs.ts'
import type { WrittenRows } from './written-rows.ts'

const draft = (line: string): Draft => {
  const read = draftOfLine(Buffer.from(line), [])
  assert.ok('text' in read)
  return read
}
const condition = (id: string, patient: string) =>
  draft(JSON.stringify({ resourceType: 'Condition', id, subject: { reference: `Patient/${patient}` } }))

let tenants = 0
const newTenant = () => `t-${++tenants}`

describe('packs of what was just written', () => {
  let store: TestStore
  const buffers = new SharedBuffers()
  before(async () => {
    store = await openTestStore()
  })
  after(() => store.close())

  async function written(tenant: string, drafts: readonly Draft[]): Promise<WrittenRows> {
    const builder = new NewRecordsBuilder(tenant, false, buffers.take(0))
    for (const each of drafts) builder.add(each)
    const rows = await writeNewRecords(store.pool, tenant, builder.finish(), (bytes) => buffers.take(bytes))
    assert.ok(rows)
    return rows
  }

  async function packs(tenant: string): Promise<{ readonly owner: string; readonly type: string }[]> {
    const sql = `select * from pack where tenant = $1 and type <> '' order by owner, type, number`
    return (await store.pool.query(sql, [tenant])).rows
  }

  const marksOf = async (tenant: string): Promise<string[]> =>
    (
      await store.pool.query(`select owner || ' ' || type as mark from unpacked where tenant = $1 order by 1`, [tenant])
    ).rows.map(({ mark }) => mark)

  it('are to the byte those that are made of the store', async () => {
    const tenant = newTenant()
    const drafts = [...population({ seed: 5, patients: 5 })].map(({ line }) => draft(line))
    const fresh = new FreshPacks(store.pool)
    let released = 0
    let writes = 0
    for (const ofProvenances of [false, true]) {
      const some = drafts.filter(({ owner }) => (owner === undefined) === ofProvenances)
      // Groups are cut apart, and lines come in no order of ids.
      for (let start = 0; start < some.length; start += 97, writes++) {
        await fresh.add(await written(tenant, some.slice(start, start + 97).reverse()), () => released++)
      }
    }
    await fresh.finish()
    assert.equal(released, writes)
    const made = await packs(tenant)
    assert.ok(made.length > 20 && made.some(({ type }) => type === 'Provenance'))
    await dropAllPacks(store.pool, tenant)
    assert.deepEqual(await packs(tenant), [])
    await packChanged(store.pool, { tenant, settledMs: 0 }, () => true)
    const keys = new Set(made.map(({ owner, type }) => `${owner} ${type}`))
    assert.deepEqual(
      made,
      (await packs(tenant)).filter(({ owner, type }) => keys.has(`${owner} ${type}`)),
    )
  })

  it('leave the pack of no type to the end', async () => {
    const tenant = newTenant()
    const fresh = new FreshPacks(store.pool)
    await fresh.add(await written(tenant, [condition('a', 'p')]), () => {})
    await fresh.finish()
    assert.deepEqual(await marksOf(tenant), ['p '])
    assert.equal((await packs(tenant)).length, 1)
  })

  /** What has happened to p's Conditions beside the rows of which packs are made. */
  const others: readonly (readonly [name: string, earlier: readonly Draft[], later: readonly Draft[]])[] = [
    ['were others before', [condition('z', 'p')], []],
    ['come others afterwards', [], [condition('z', 'p')]],
  ]
  for (const [name, earlier, later] of others) {
    it(`are not kept where there ${name}`, async () => {
      const tenant = newTenant()
      const put = async (drafts: readonly Draft[]) => {
        if (drafts.length > 0)
          await write(
            store.pool,
            tenant,
            drafts.map((each) => ({ kind: 'put', draft: each })),
          )
      }
      await put(earlier)
      const fresh = new FreshPacks(store.pool)
      await fresh.add(await written(tenant, [condition('a', 'p'), condition('b', 'q')]), () => {})
      await put(later)
      await fresh.finish()
      assert.deepEqual(
        (await packs(tenant)).map(({ owner }) => owner),
        ['q'],
      )
      assert.ok((await marksOf(tenant)).includes('p Condition'))
      await packChanged(store.pool, { tenant, settledMs: 0 }, () => true)
      assert.deepEqual(await marksOf(tenant), [])
      assert.deepEqual(
        (await packs(tenant)).map(({ owner }) => owner),
        ['p', 'q'],
      )
    })
  }

  it('are not kept where a writer comes between two of their writes', async () => {
    const tenant = newTenant()
    const fresh = new FreshPacks(store.pool)
    await fresh.add(await written(tenant, [condition('a', 'p')]), () => {})
    await write(store.pool, tenant, [{ kind: 'delete', key: { type: 'Condition', id: 'a' } }])
    await fresh.add(await written(tenant, [condition('b', 'p')]), () => {})
    await fresh.finish()
    assert.deepEqual(await packs(tenant), [])
    assert.ok((await marksOf(tenant)).includes('p Condition'))
  })

  it('hold eight writes at most, and leave what is longer to others', async () => {
    for (const writes of [8, 9]) {
      const tenant = newTenant()
      const fresh = new FreshPacks(store.pool)
      let released = 0
      for (let number = 0; number < writes; number++) {
        await fresh.add(await written(tenant, [condition(`c${number}`, 'p')]), () => released++)
      }
      assert.equal(released, writes - 8 === 1 ? 9 : 0)
      await fresh.finish()
      assert.equal(released, writes)
      assert.equal((await packs(tenant)).length, 9 - writes)
    }
  })
})

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { openTestStore, type TestStore } from '../database/store.fixture.ts'
import { draftOf } from '../records/draft.ts'
import { storeDrafts } from '../records/load/store-drafts.ts'
import { packInForeground } from '../records/packs/foreground-packing.ts'
import { BackgroundPacker, needsPacking } from './background-packer.ts'

describe('packing in the background', () => {
  let store: TestStore

  before(async () => {
    store = await openTestStore()
  })
  after(() => store.close())

  beforeEach(async () => {
    await store.pool.query('truncate record, pack, unpacked')
    const draft = draftOf('{"resourceType":"Patient","id":"p"}', [])
    assert.ok('text' in draft)
    await storeDrafts(store.pool, 'clinic', [draft], false, () => {})
  })

  const countPacks = async () => (await store.pool.query('select from pack')).rowCount
  const settle = () => store.pool.query(`update unpacked set changed = clock_timestamp() - interval '5 s'`)
  /** However long the machine stands still. */
  const unsettle = () => store.pool.query(`update unpacked set changed = clock_timestamp() + interval '1 hour'`)

  it('begins when the records have not changed for some time', async () => {
    await unsettle()
    assert.equal(await needsPacking(store.pool), false)
    assert.equal(await new BackgroundPacker(store.pool).run(), undefined)
    await settle()
    assert.equal(await needsPacking(store.pool), true)
    assert.equal((await new BackgroundPacker(store.pool).run())?.records, 1)
    assert.equal(await needsPacking(store.pool), false)
  })

  it('stands back while commands pack, until the last of them has ended', async () => {
    await settle()
    const packer = new BackgroundPacker(store.pool)
    const { pool } = store
    await packInForeground(pool, async () => {
      await packInForeground(pool, async () => assert.equal(await packer.run(), undefined))
      assert.equal(await packer.run(), undefined)
      assert.equal(await countPacks(), 0)
    })
    await assert.rejects(
      packInForeground(pool, () => Promise.reject(new Error('failed'))),
      /failed/,
    )
    // The database may take a moment to notice that a connection is closed.
    while ((await packer.run()) === undefined);
    assert.ok((await countPacks())! > 0)
  })
})

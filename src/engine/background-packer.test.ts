import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Database, openDatabase } from '../database/connection.ts'
import { migrate } from '../database/migrate.ts'
import { draftOf } from '../records/draft.ts'
import { storeDrafts } from '../records/load/store-drafts.ts'
import { packInForeground } from '../records/packs/foreground-packing.ts'
import { BackgroundPacker, needsPacking } from './background-packer.ts'

describe('packing in the background', () => {
  let directory: string
  let database: Database

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-packing-'))
    database = await openDatabase({ kind: 'embedded', directory }, { log: () => {} })
    await migrate(database.pool)
  })
  after(async () => {
    await database.close()
    await rm(directory, { recursive: true, force: true })
  })

  beforeEach(async () => {
    await database.pool.query('truncate record, pack, unpacked')
    const draft = draftOf('{"resourceType":"Patient","id":"p"}', [])
    assert.ok('text' in draft)
    await storeDrafts(database.pool, 'clinic', [draft], false, () => {})
  })

  const countPacks = async () => (await database.pool.query('select from pack')).rowCount
  const settle = () => database.pool.query(`update unpacked set changed = changed - interval '5 s'`)

  it('begins when the records have not changed for some time', async () => {
    assert.equal(await needsPacking(database.pool), false)
    assert.equal(await new BackgroundPacker(database.pool).run(), undefined)
    await settle()
    assert.equal(await needsPacking(database.pool), true)
    assert.equal((await new BackgroundPacker(database.pool).run())?.records, 1)
    assert.equal(await needsPacking(database.pool), false)
  })

  it('stands back while commands pack, until the last of them has ended', async () => {
    await settle()
    const packer = new BackgroundPacker(database.pool)
    const { pool } = database
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

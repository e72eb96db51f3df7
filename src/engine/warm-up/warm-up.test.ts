import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { draftOf } from '../../records/draft.ts'
import { storeDrafts } from '../../records/load/store-drafts.ts'
import { packChanged } from '../../records/packs/packer.ts'
import { warmUp } from './warm-up.ts'

const pollMs = 50

let store: TestStore
before(async () => {
  store = await openTestStore()
})
after(() => store.close())

test('an engine warms up by packs alone, and leaves nothing of it in the store', async () => {
  const draft = draftOf('{"resourceType":"Patient","id":"p"}', [])
  assert.ok('text' in draft)
  await storeDrafts(store.pool, 'clinic', [draft], true, () => {})
  await packChanged(store.pool, { settledMs: 0 }, () => true)
  const content = async () => {
    const tables = ['record', 'pack', 'unpacked', 'job', 'partition', 'part', 'audit_entry']
    const counts = tables.map((table) => `(select count(*) from ${table}) as ${table}`)
    return (await store.pool.query(`select ${counts}, (select md5(string_agg(body, '')) from pack) as packs`)).rows[0]
  }
  const before = await content()
  assert.ok(before.pack > 0)
  // All of them come out of packs: versions of made-up records are nowhere.
  assert.equal(await warmUp(store.connection), 12 * 120 * 15 * 6)
  assert.deepEqual(await content(), before)
  // PostgreSQL drops it when it has noticed that the session has ended.
  const temporary = `select from pg_class where relname = 'pack' and relpersistence = 't'`
  while ((await store.pool.query(temporary)).rows.length > 0) await pause(pollMs)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestStore } from '../database/store.fixture.ts'
import { draftOf } from '../records/draft.ts'
import { storeDrafts } from '../records/load/store-drafts.ts'
import { isStoreUnderRules } from '../records/rules/rules-of-store.ts'
import { BackgroundReowner } from './background-reowner.ts'

test('of several programs one puts a store under new rules, all tenants; then nobody looks again', async () => {
  const { pool, close } = await openTestStore()
  try {
    const draft = draftOf('{"resourceType":"Coverage","id":"c","beneficiary":{"reference":"Patient/p"}}', [])
    assert.ok('text' in draft)
    for (const tenant of ['a', 'b']) await storeDrafts(pool, tenant, [draft], false, () => {})
    await pool.query(`update record set owner = ''`)
    await pool.query(`update setting set value = '1' where name = 'ownership_rules'`)
    const told: object[] = []
    const programs = [1, 2].map(() => new BackgroundReowner(pool, (_event, details) => told.push(details)))
    while (!(await isStoreUnderRules(pool))) await Promise.all(programs.map((program) => program.run()))
    await Promise.all(programs.map((program) => program.run()))
    assert.deepEqual(told, [{ done: true }])
    const { rows } = await pool.query(
      `select tenant, owner, count(*)::int from record group by tenant, owner order by tenant, owner`,
    )
    assert.deepEqual(
      rows.map(({ tenant, owner, count }) => [tenant, owner, count]),
      [
        ['a', '', 1],
        ['a', 'p', 1],
        ['b', '', 1],
        ['b', 'p', 1],
      ],
    )
  } finally {
    await close()
  }
})

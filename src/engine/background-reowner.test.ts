import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeSetting } from '../database/setting.ts'
import { openTestStore } from '../database/store.fixture.ts'
import { draftOf } from '../records/draft.ts'
import { storeDrafts } from '../records/load/store-drafts.ts'
import { outdatedTenants } from '../records/rules/outdated-tenants.ts'
import { BackgroundReowner } from './background-reowner.ts'

test('of several programs one puts a store under new rules, all tenants; then nobody looks again', async () => {
  const { pool, close } = await openTestStore()
  try {
    const draft = draftOf('{"resourceType":"Coverage","id":"c","beneficiary":{"reference":"Patient/p"}}', [])
    assert.ok('text' in draft)
    for (const tenant of ['a', 'b']) await storeDrafts(pool, tenant, [draft], false, () => {})
    await pool.query(`update record set owner = ''`)
    await pool.query(`insert into outdated_tenant (tenant, public_url) values ('a', 'http://x'), ('b', 'http://x')`)
    const told: object[] = []
    const programs = [1, 2].map(() => new BackgroundReowner(pool, (_event, details) => told.push(details)))
    while ((await outdatedTenants(pool)).length > 0) await Promise.all(programs.map((program) => program.run()))
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

test('a tenant whose records cannot be put under new rules is told, and keeps none of the others back', async () => {
  const { pool, close } = await openTestStore()
  try {
    await pool.query(`insert into outdated_tenant (tenant) values ('a'), ('b'), ('c')`)
    await pool.query(`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'no room for it'; end $$;
      create trigger refuse before delete on outdated_tenant for each row when (old.tenant = 'b') execute function refuse()`)
    const told: (readonly [string, object])[] = []
    const reowner = new BackgroundReowner(pool, (event, details) => told.push([event, details]))
    await reowner.run()
    assert.deepEqual(told, [], 'nobody knows the URL that references were written under')
    await writeSetting(pool, 'public_url', 'http://127.0.0.1:8080')
    await reowner.run()
    assert.deepEqual(told, [['reowning-failed', { tenant: 'b', reason: 'no room for it' }]])
    assert.deepEqual(await outdatedTenants(pool), [{ tenant: 'b', publicUrl: undefined }])
    await pool.query('drop trigger refuse on outdated_tenant')
    await reowner.run()
    assert.deepEqual(told.slice(1), [['reowning', { done: true }]])
  } finally {
    await close()
  }
})

test('references are read under the URL that the server had when they were written, not the present one', async () => {
  const { pool, close } = await openTestStore()
  try {
    const text = '{"resourceType":"Coverage","id":"c","beneficiary":{"reference":"https://old.example/r4/t/Patient/p"}}'
    const draft = draftOf(text, [])
    assert.ok('text' in draft)
    await storeDrafts(pool, 't', [draft], false, () => {})
    await writeSetting(pool, 'public_url', 'https://new.example')
    await pool.query(`insert into outdated_tenant (tenant, public_url) values ('t', 'https://old.example')`)
    await new BackgroundReowner(pool, () => {}).run()
    const { rows } = await pool.query(`select owner from record where superseded = 'infinity'`)
    assert.deepEqual(rows, [{ owner: 'p' }])
  } finally {
    await close()
  }
})

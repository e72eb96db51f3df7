import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readSchema } from '../scripts/schema/catalog.ts'
import { schemaPage, schemaPageFile } from '../scripts/schema/page.ts'
import { openTestStore } from '../src/database/store.fixture.ts'

test('docs/reference/schema.md shows the database after all migrations', async (t) => {
  const store = await openTestStore()
  t.after(store.close)
  const schema = await readSchema(store.pool)
  assert.equal(readFileSync(schemaPageFile, 'utf8'), schemaPage(schema), 'run npm run pages')

  const [first, ...others] = schema.tables
  assert.throws(() => schemaPage({ ...schema, tables: others }), /not there: assertion$/m)
  const column = { name: 'other', type: 'text', storage: null, nullable: false, fallback: null }
  const wider = { ...first!, columns: [...first!.columns, column] }
  assert.throws(() => schemaPage({ ...schema, tables: [wider, ...others] }), /without a sentence: other;/)
  const routines = [{ name: 'other', signature: 'other() → void' }]
  assert.throws(() => schemaPage({ ...schema, routines }), /other has no comment/)
})

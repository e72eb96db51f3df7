// Writes docs/reference/schema.md from a new database with all migrations. Run it after adding one; a test compares the page with it.
import { writeFileSync } from 'node:fs'
import { openTestStore } from '../src/database/store.fixture.ts'
import { readSchema } from './schema/catalog.ts'
import { schemaPage, schemaPageFile } from './schema/page.ts'

const store = await openTestStore()
try {
  writeFileSync(schemaPageFile, schemaPage(await readSchema(store.pool)))
} finally {
  await store.close()
}

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'

/** What databases have applied under these names. The numbers have holes and a double; later ones have none. */
const frozen = [
  '001-records-and-jobs.sql',
  '002-access.sql',
  '003-secrets-keys-and-issuers.sql',
  '004-audit.sql',
  '005-strict-tenants.sql',
  '006-unlisted-exports.sql',
  '008-frozen-filters.sql',
  '008-transitive-references.sql',
  '009-packs.sql',
  '012-empty-packs.sql',
  '013-packs-of-no-type.sql',
]
const lastFrozen = 13

const files = readdirSync(new URL('./migrations/', import.meta.url)).sort()
const numberOf = (file: string): number => Number.parseInt(file, 10)

test('the migrations up to 013 are those that databases know', () => {
  assert.deepEqual(
    files.filter((file) => numberOf(file) <= lastFrozen),
    frozen,
  )
})

test('the migrations after 013 have one number each, without a hole', () => {
  const later = files.filter((file) => numberOf(file) > lastFrozen)
  assert.deepEqual(
    later.map(numberOf),
    later.map((_, index) => lastFrozen + 1 + index),
  )
})

test('whatever is beside the README is a migration by its name', () => {
  const others = files.filter((file) => !/^\d{3}-[a-z0-9]+(-[a-z0-9]+)*\.sql$/.test(file))
  assert.deepEqual(others, ['README.md'])
})

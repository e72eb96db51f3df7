import assert from 'node:assert/strict'
import { test } from 'node:test'
import { patientId, recordId, sharedId } from './record-ids.ts'

const legal = /^[A-Za-z0-9\-.]{1,64}$/

test('ids are legal, unique, and of every shape', () => {
  const ids = new Set<string>()
  for (let number = 0; number < 500; number++) ids.add(sharedId(number))
  for (let index = 0; index < 500; index++) {
    ids.add(patientId(index))
    for (let n = 1; n <= 20; n++) ids.add(recordId(index, n))
  }
  assert.equal(ids.size, 500 + 500 * 21)
  const all = [...ids]
  assert.deepEqual(
    all.filter((id) => !legal.test(id)),
    [],
  )
  assert.ok(all.filter((id) => /^\d+$/.test(id)).length > all.length * 0.8, 'most are decimal')
  assert.ok(all.some((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)))
  assert.ok(all.some((id) => id.includes('.')))
  assert.ok(all.some((id) => id.length === 64))
})

test('ids far out stay legal', () => {
  for (const index of [8_999_999, 9_000_000]) {
    assert.match(patientId(index), legal)
    for (let n = 1; n < 2_000; n++) assert.match(recordId(index, n), legal)
  }
})

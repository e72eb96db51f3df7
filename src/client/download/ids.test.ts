import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addId, noIds, RememberedIds } from './ids.ts'

test('repeats are found as a plain set finds them, within a file and across files', () => {
  const key = fc.oneof(fc.constant(''), fc.nat(300).map(String), fc.uuid())
  fc.assert(
    fc.property(fc.array(fc.array(key)), (files) => {
      const remembered = new RememberedIds()
      const model = new Set<string>()
      for (const keys of files) {
        const ids = noIds()
        let first = 0
        let repeats = 0
        for (const [index, each] of keys.entries()) {
          addId(ids, each)
          if (each === '') continue
          if (model.has(each)) {
            repeats++
            first ||= index + 1
          }
          model.add(each)
        }
        assert.deepEqual(remembered.add(ids), { first, repeats })
        assert.equal(remembered.size, model.size)
      }
    }),
  )
})

test('half a million neighbouring ids do not collide', () => {
  const ids = noIds()
  for (let id = 0; id < 500_000; id++) addId(ids, `Observation/${id}`)
  assert.deepEqual(new RememberedIds().add(ids), { first: 0, repeats: 0 })
})

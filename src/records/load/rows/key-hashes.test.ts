import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hashedKeysMax, KeyHashes } from './key-hashes.ts'

const keysFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => `Patient/${first + index}`)

const hashesOf = (keys: readonly string[]): KeyHashes => {
  const hashes = new KeyHashes()
  for (const key of keys) hashes.add(key)
  return hashes
}

describe('hashes of keys', () => {
  it('have every key that was added, and hardly another one', () => {
    const hashes = hashesOf(keysFrom(0, 2_000))
    assert.ok(keysFrom(0, 2_000).every((key) => hashes.mayHave(key) && !hashes.add(key)))
    assert.ok(keysFrom(2_000, 100_000).filter((key) => hashes.mayHave(key)).length < 10)
  })

  it('meet others that have one of the keys, in another thread too', () => {
    const hashes = hashesOf(keysFrom(0, 100))
    const sent = new KeyHashes(structuredClone(hashes.slots))
    assert.ok(sent.mayMeet(hashesOf(keysFrom(99, 100))) && hashesOf(keysFrom(99, 100)).mayMeet(sent))
    assert.ok(!sent.mayMeet(hashesOf(keysFrom(100, 100))))
    assert.ok(!new KeyHashes().mayMeet(sent))
  })

  it('are so many at most', () => {
    const hashes = hashesOf(keysFrom(0, hashedKeysMax - 1))
    assert.ok(hashes.add('Patient/last'))
    assert.equal(hashes.size, hashedKeysMax)
    assert.throws(() => hashes.add('Patient/more'), /more keys/)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MetReferences } from './met-references.ts'

function news(met: MetReferences, list: string): string[] {
  const found: string[] = []
  met.eachNew(Buffer.from(list, 'latin1'), (reference) => found.push(reference))
  return found
}

const reference = fc
  .tuple(fc.constantFrom('Location', 'Organization', 'Practitioner'), fc.stringMatching(/^[A-Za-z0-9.-]{1,64}$/))
  .map(([type, id]) => `${type}/${id}`)

describe('references met', () => {
  it('are new once', () => {
    const met = new MetReferences()
    assert.deepEqual(news(met, ''), [])
    assert.deepEqual(news(met, 'Location/1 Practitioner/1'), ['Location/1', 'Practitioner/1'])
    assert.deepEqual(news(met, 'Practitioner/1 Location/2 Location/1'), ['Location/2'])
    assert.deepEqual(news(met, 'Location/1'), [])
  })

  it('are never lost, and told as they are (property)', () => {
    const lists = fc.array(fc.array(reference, { maxLength: 30 }), { maxLength: 40 })
    fc.assert(
      fc.property(lists, (lists) => {
        const met = new MetReferences()
        const told = new Set<string>()
        for (const list of lists) for (const found of news(met, list.join(' '))) told.add(found)
        assert.deepEqual(told, new Set(lists.flat()))
      }),
    )
  })

  it('are never lost when more come than are remembered', () => {
    const met = new MetReferences()
    const told = new Set<string>()
    const all = Array.from({ length: 50_000 }, (_, index) => `Practitioner/${index}`)
    for (const one of all) for (const found of news(met, one)) told.add(found)
    assert.equal(told.size, all.length)
    for (const one of all) for (const found of news(met, one)) assert.equal(found, one)
  })

  it('are new each time when they are longer than an id can make them', () => {
    const met = new MetReferences()
    for (const size of [94, 95, 96, 97]) {
      const long = 'x'.repeat(size)
      assert.deepEqual(news(met, long), [long])
      assert.deepEqual(news(met, long), size < 96 ? [] : [long], `${size}`)
    }
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RecordAsOf } from '../../records/as-of.ts'
import { orderedBytesMax } from '../../records/packs/sections/pack-order.ts'
import { provenancesInPackOrder } from './in-pack-order.ts'

const record = (owner: string, id: string, more: Partial<RecordAsOf> = {}): RecordAsOf => ({
  ...{ owner, id, shared: false, refs: '', targets: 'Goal/g', updated: 0, body: Buffer.from('{}') },
  ...more,
})

const bodyOf = (size: number): Buffer => Buffer.from('{}'.padEnd(size))

/** The owners and ids of records as they come out, when they are read in batches. */
async function ordered(...batches: RecordAsOf[][]): Promise<string[]> {
  async function* read() {
    yield* batches
  }
  const found = await Array.fromAsync(provenancesInPackOrder(read()))
  return found.flat().map(({ owner, id }) => `${owner} ${id}`)
}

describe('Provenances that are read as versions', () => {
  it('are in the order of packs: of each owner the newest of a target first', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((id, index) => record('p', id, { updated: 9 - index }))
    const other = record('q', 'd', { targets: '' })
    const shared = record('q', 'e', { shared: true })
    assert.deepEqual(await ordered([a!, b!], [c!, other], [shared]), ['p a', 'p b', 'p c', 'q e', 'q d'])
    const late = record('p', 'c', { updated: 99 })
    assert.deepEqual(await ordered([a!, b!], [late, other]), ['p c', 'p a', 'p b', 'q d'])
    assert.deepEqual(await ordered(), [])
  })

  it('are held at and below a bound, and above it have the order of ids', async () => {
    const size = orderedBytesMax / 4
    const bodies = (more: number) =>
      ['a', 'b', 'c', 'd'].map((id, index) =>
        record('p', id, { updated: index, body: bodyOf(size - 1 + (index === 3 ? more : 0)) }),
      )
    const divided = ['p d', 'p a', 'p b', 'p c']
    assert.deepEqual(await ordered(bodies(0)), divided)
    assert.deepEqual(await ordered(bodies(-1)), divided)
    assert.deepEqual(await ordered(bodies(1)), ['p a', 'p b', 'p c', 'p d'])
    const shared = record('p', 'e', { shared: true, updated: 9, body: bodyOf(size) })
    assert.deepEqual(await ordered([...bodies(0), shared]), ['p e', 'p a', 'p b', 'p c', 'p d'])
  })
})

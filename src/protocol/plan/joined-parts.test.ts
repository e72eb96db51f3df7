import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type JoinablePart, joinParts } from './joined-parts.ts'

const part = (id: string, gzipBytes: number, more: Partial<JoinablePart> = {}): JoinablePart => ({
  ...{ id, kind: 'output', type: 'Condition', gzipBytes, crc: 1, continues: false },
  ...more,
})
const idsOf = (parts: readonly JoinablePart[], max?: number) =>
  joinParts(parts, max).map((file) => file.map(({ id }) => id).join(''))

describe('parts', () => {
  it('of a kind and type are joined in order, whatever stands between them', () => {
    const other = { type: 'Observation' }
    const parts = [part('a', 100), part('x', 100, other), part('b', 100), part('y', 100, other)]
    assert.deepEqual(idsOf(parts), ['ab', 'xy'])
  })

  it('of other kinds are not joined', () => {
    const parts = [part('a', 100), part('b', 100, { kind: 'deleted' }), part('c', 100, { kind: 'error' })]
    assert.deepEqual(idsOf(parts), ['a', 'b', 'c'])
  })

  it('are joined up to the bound', () => {
    const parts = [part('a', 100), part('b', 100), part('c', 1)]
    assert.deepEqual(idsOf(parts, 201), ['abc'])
    assert.deepEqual(idsOf(parts, 200), ['ab', 'c'])
    assert.deepEqual(idsOf(parts, 199), ['a', 'bc'])
  })

  it('are not joined behind one whose last block goes on', () => {
    const parts = [part('a', 100), part('b', 100, { continues: true }), part('c', 100), part('d', 100)]
    assert.deepEqual(idsOf(parts), ['ab', 'cd'])
  })

  it('without a checksum stand alone', () => {
    assert.deepEqual(idsOf([part('a', 1), part('b', 1, { crc: null }), part('c', 1), part('d', 1)]), ['a', 'b', 'cd'])
  })

  it('that are larger than the bound stand alone', () => {
    assert.deepEqual(idsOf([part('a', 900), part('b', 100), part('c', 100)], 500), ['a', 'bc'])
  })
})

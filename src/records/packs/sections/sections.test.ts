import assert from 'node:assert/strict'
import { it } from 'node:test'
import { sectionBytesMin, sectionsOf } from './sections.ts'

const items = (key: string, ...lengths: number[]) => lengths.map((length) => ({ key, length }))

const sectioned = (...all: { key: string; length: number }[][]) =>
  sectionsOf(all.flat()).map(({ key, items }) => [key, items.length])

it('lines of a key are a section from a bound on, and below it with what stands beside them', () => {
  const half = sectionBytesMin / 2
  assert.deepEqual(sectioned(items('a', half, half)), [['a', 2]])
  assert.deepEqual(sectioned(items('a', half, half + 1)), [['a', 2]])
  assert.deepEqual(sectioned(items('a', half, half - 1)), [[undefined, 2]])
  assert.deepEqual(sectioned(items('', half), items('a', half), items('b', half, half), items('c', 1), items('d', 2)), [
    [undefined, 2],
    ['b', 2],
    [undefined, 2],
  ])
  assert.deepEqual(sectioned(), [])
})

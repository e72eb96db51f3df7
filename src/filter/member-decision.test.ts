import assert from 'node:assert/strict'
import { it } from 'node:test'
import { filterOf } from './compiled-filter.fixture.ts'

const laboratory = JSON.stringify([{ coding: [{ system: 'http://x', code: 'laboratory' }] }])

const decisions = (query: string) => {
  const { decides } = filterOf(`Observation?${query}`)
  return [laboratory, '[{"coding":[{"code":"exam"}]}]', ''].map((text) => decides('category', text))
}

it('lines are decided about by one member of theirs, where the others cannot change it', () => {
  assert.deepEqual(decisions('category=laboratory'), [true, false, false])
  assert.deepEqual(decisions('category=http://x|laboratory'), [true, false, false])
  assert.deepEqual(decisions('category:not=laboratory'), [false, true, true])
  assert.deepEqual(decisions('category:missing=true'), [false, false, true])
  assert.deepEqual(decisions('category=laboratory&status=final'), [undefined, false, false])
  assert.deepEqual(decisions('status=final&category=laboratory'), [undefined, false, false])
  assert.deepEqual(decisions('status:not=final&category:not=laboratory'), [false, undefined, undefined])
  assert.deepEqual(decisions('status=final'), [undefined, undefined, undefined])
  const { decides } = filterOf('Observation?category=laboratory')
  assert.equal(decides('status', '"final"'), undefined)
})

it('of other members as many are tried as a bound allows', () => {
  const others = ['status=a', 'code=b', 'identifier=c', 'device=d', 'specimen=e']
  const decided = (count: number) => decisions(['category=laboratory', ...others.slice(0, count)].join('&'))[1]
  assert.deepEqual([decided(3), decided(4), decided(5)], [false, false, undefined])
})

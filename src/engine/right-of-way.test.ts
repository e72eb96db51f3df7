import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RightOfWay, type Work, wayMsMax } from './right-of-way.ts'

const workOf = (tenant: string, alone: boolean): Work => ({ tenant, alone })

/** Work that is at work, in the order in which it was taken. */
function at(...works: readonly Work[]): { way: RightOfWay; pass: (ms: number) => void } {
  let now = 0
  const way = new RightOfWay(() => now)
  for (const work of works) way.begin(work)
  return {
    way,
    pass: (ms) => {
      now += ms
    },
  }
}

test('the rest waits for work of a tenant of whom nothing was at work, until that has ended', async () => {
  const [large, larger, small] = [workOf('big', true), workOf('big', false), workOf('small', true)]
  const { way } = at(large, larger, small)
  const order: string[] = []
  const waits = [large, larger].map(async (work) => {
    await way.giveWay(work)
    order.push('large')
  })
  assert.equal(way.giveWay(small), undefined)
  order.push('small')
  way.end(small)
  await Promise.all(waits)
  assert.deepEqual(order, ['small', 'large', 'large'])
})

for (const [what, works] of [
  ['work of one tenant alone', [workOf('a', true), workOf('a', false)]],
  ['who was not alone when it was taken', [workOf('a', true), workOf('b', false)]],
] as const) {
  test(`nobody waits for ${what}`, () => {
    const { way } = at(...works)
    for (const work of works) assert.equal(way.giveWay(work), undefined)
  })
}

test('of two that were alone the one that was taken later goes first', () => {
  const [first, second] = [workOf('a', true), workOf('b', true)]
  const { way } = at(first, second)
  assert.ok(way.giveWay(first) instanceof Promise)
  assert.equal(way.giveWay(second), undefined)
  way.end(second)
})

test(`the way is given for ${wayMsMax} ms at most, and again when as much time has passed`, async () => {
  const [large, small] = [workOf('big', false), workOf('small', true)]
  const { way, pass } = at(large, small)
  const waits = way.giveWay(large)
  assert.ok(waits)
  pass(wayMsMax)
  way.begin(workOf('other', false))
  way.end(workOf('other', false))
  await waits
  assert.equal(way.giveWay(large), undefined, 'nothing is left')
  pass(1)
  const short = way.giveWay(large)
  assert.ok(short, 'a millisecond is left')
  pass(1)
  way.end(workOf('other', false))
  await short
  assert.equal(way.giveWay(large), undefined)
})

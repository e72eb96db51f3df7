import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { LeftBehind, leftBytesMax, leftBytesMin } from './garbage.ts'

test('the heap is made small for what bodies leave together, not for each of them', () => {
  let shrunk = 0
  const left = new LeftBehind(() => shrunk++)
  const answer = (bytes: number) => {
    left.wait()
    left.add(bytes)
  }
  answer(leftBytesMax - 1)
  assert.equal(shrunk, 0)
  answer(1)
  assert.equal(shrunk, 1)
  answer(leftBytesMax + 1)
  assert.equal(shrunk, 2)
  for (let count = 0; count < 32; count++) answer(leftBytesMax / 16)
  assert.equal(shrunk, 4)
  left.wait()
})

test('a thread that has nothing to do gives back what is worth it, and not before', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.after(() => mock.timers.reset())
  let shrunk = 0
  const left = new LeftBehind(() => shrunk++)
  left.add(leftBytesMin - 1)
  mock.timers.tick(60_000)
  assert.equal(shrunk, 0)
  left.add(1)
  left.wait()
  mock.timers.tick(60_000)
  assert.equal(shrunk, 0, 'the next request has begun')
  left.add(0)
  mock.timers.tick(60_000)
  assert.equal(shrunk, 1)
})

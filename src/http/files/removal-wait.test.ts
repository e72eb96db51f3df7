import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forAWhile } from './removal-wait.ts'

test('a removal that ends, or fails, is waited for; one that goes on and on is not', async () => {
  const told: unknown[] = []
  const tell = (error: unknown) => void told.push(error)
  let ended = false
  await forAWhile(
    new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      ended = true
    }),
    tell,
  )
  assert.ok(ended)
  const refused = new Error('refused')
  await forAWhile(Promise.reject(refused), tell)
  assert.deepEqual(told, [refused])
  const { promise, reject } = Promise.withResolvers<void>()
  await forAWhile(promise, tell)
  reject(new Error('late'))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(told.length, 2)
})

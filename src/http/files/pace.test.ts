import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { type TestContext, test } from 'node:test'
import type { FastifyReply } from 'fastify'
import { connectionBounds } from '../connection/connection-bounds.ts'
import { keepPace } from './pace.ts'

const { paceMs, paceBytesMin } = connectionBounds

/** An answer whose reader takes what the test says; time passes by ticks. */
function answer(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const socket = { bytesWritten: 1_000, destroyed: false, destroy: () => (socket.destroyed = true) }
  const raw = Object.assign(new EventEmitter(), { socket })
  keepPace({ raw, log: { info: () => {} } } as unknown as FastifyReply, connectionBounds)
  return {
    socket,
    raw,
    /** Whether the reader is let go after taking so many bytes in one time. */
    take: (bytes: number) => {
      socket.bytesWritten += bytes
      t.mock.timers.tick(paceMs)
      return socket.destroyed
    },
  }
}

test('a reader that takes the least, or more, in each time is kept; one byte less and it is let go', (t) => {
  const { take } = answer(t)
  assert.equal(take(paceBytesMin), false)
  assert.equal(take(paceBytesMin + 1), false)
  assert.equal(take(paceBytesMin), false)
  assert.equal(take(paceBytesMin - 1), true)
})

test('what was taken fast before does not help a reader that stops', (t) => {
  const { take } = answer(t)
  assert.equal(take(paceBytesMin * 100), false)
  assert.equal(take(0), true)
})

test('nobody is let go in the middle of a time, or after the answer', (t) => {
  const { socket, raw } = answer(t)
  t.mock.timers.tick(paceMs - 1)
  assert.equal(socket.destroyed, false)
  raw.emit('close')
  t.mock.timers.tick(paceMs * 3)
  assert.equal(socket.destroyed, false)
})

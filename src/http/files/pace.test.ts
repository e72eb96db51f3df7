import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { type TestContext, test } from 'node:test'
import type { FastifyReply } from 'fastify'
import { connectionBounds } from '../connection/connection-bounds.ts'
import { keepPace } from './pace.ts'

const { paceMs, paceBytesMin } = connectionBounds

/** An answer whose reader takes what the test says; time passes by ticks. */
function answer(t: TestContext, gone = false) {
  t.mock.timers.reset()
  t.mock.timers.enable({ apis: ['setInterval'] })
  const socket = { bytesWritten: 1_000, destroyed: false, destroy: () => (socket.destroyed = true) }
  const raw = Object.assign(new EventEmitter(), { closed: false, writableFinished: false })
  const request = { raw: { socket } }
  const lines: unknown[][] = []
  const log = { info: (...line: unknown[]) => lines.push(line) }
  if (gone) socket.destroyed = true
  const begun = keepPace({ raw, log, request } as unknown as FastifyReply, connectionBounds)
  return {
    socket,
    raw,
    begun,
    lines,
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

test('a download that does not come to its end is one line, a whole one none', (t) => {
  const { raw, take, lines } = answer(t)
  take(7)
  raw.emit('close')
  assert.deepEqual(lines, [[{ bytes: 7 }, 'slow reader']])
  const broken = answer(t)
  broken.socket.bytesWritten += 9
  broken.raw.emit('close')
  assert.deepEqual(broken.lines, [[{ bytes: 9 }, 'download broken off']])
  const whole = answer(t)
  whole.raw.writableFinished = true
  whole.raw.emit('close')
  assert.deepEqual(whole.lines, [])
})

test('a reader that has gone before is not watched: nothing would ever end the beat', (t) => {
  const { begun, take, lines } = answer(t, true)
  assert.equal(begun, false)
  take(0)
  take(0)
  assert.deepEqual(lines, [[{ bytes: 0 }, 'download broken off']])
})

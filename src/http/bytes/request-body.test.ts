import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { byteBounds } from './byte-bounds.ts'
import { BytesInFlight, TooManyBytes } from './bytes-in-flight.ts'
import { BodyTooFine, BodyTooLong, readBody } from './request-body.ts'

const client = { kind: 'client', tenant: 'clinic', client: 'a' } as const

/** Reads a body that comes in these pieces; `told`: its length is told. */
function reading(pieces: readonly Buffer[], { told = false, bytesMax = 1_000_000, ofClient = 10_000_000 } = {}) {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const headers = told ? { 'content-length': String(length) } : {}
  const message = Object.assign(Readable.from(pieces), { headers }) as unknown as IncomingMessage
  const all = new BytesInFlight({ ...byteBounds, ofClientBytesMax: ofClient })
  const held = all.open(client)
  if (told) held.take(length)
  return { message, held, body: readBody(message, held, bytesMax) }
}

const pieces = (count: number, bytes: number) =>
  Array.from({ length: count }, (_, number) => Buffer.alloc(bytes, 97 + (number % 26)))

for (const told of [true, false]) {
  test(`a body whose length is ${told ? 'told' : 'not told'} comes whole, and its bytes have been taken`, async () => {
    for (const [count, bytes] of [
      [0, 0],
      [1, 1],
      [7, 3],
      [100, 1_000],
      [3, 65_536],
    ] as const) {
      const { held, body } = reading(pieces(count, bytes), { told })
      assert.deepEqual(await body, Buffer.concat(pieces(count, bytes)))
      assert.ok(held.bytes >= count * bytes && held.bytes <= Math.max(2 * count * bytes, 16_384), `${held.bytes}`)
    }
  })
}

test('a body may have as many bytes as its route allows, not one more', async () => {
  for (const told of [true, false]) {
    const most = reading(pieces(10, 100), { told, bytesMax: 1_000 })
    assert.equal((await most.body).length, 1_000)
    const more = reading(pieces(13, 77), { told, bytesMax: 1_000 })
    await assert.rejects(more.body, BodyTooLong)
  }
})

test('what comes untold is refused when it is too much, before there is memory for it', async () => {
  const { held, body, message } = reading(pieces(1_000, 1_000), { ofClient: 100_000 })
  await assert.rejects(body, TooManyBytes)
  assert.ok(held.bytes <= 100_000)
  assert.equal(message.listenerCount('data'), 0)
})

test('pieces may be small when they are few; many must have 64 bytes on average', async () => {
  assert.equal((await reading(pieces(4_096, 1)).body).length, 4_096)
  await assert.rejects(reading(pieces(4_097, 1)).body, BodyTooFine)
  assert.equal((await reading(pieces(4_097, 64)).body).length, 64 * 4_097)
  await assert.rejects(reading(pieces(4_097, 63)).body, BodyTooFine)
})

test('a body that is broken off is an error, also when that was before anybody read it', async () => {
  const { body, message } = reading(pieces(10, 10))
  message.destroy()
  await assert.rejects(body, /broken off/)
  await assert.rejects(readBody(message, new BytesInFlight().open(client), 10), /broken off/)
})

test('the memory of a piece is given back when it has been copied, unless it shares its buffer', async () => {
  const alone = Array.from({ length: 20 }, () => Buffer.allocUnsafeSlow(65_536).fill('a'))
  const shared = Buffer.alloc(20_000, 'b')
  const given = [...alone, shared.subarray(0, 10_000)]
  assert.equal((await reading(given, { told: true, bytesMax: 2_000_000 }).body).length, 20 * 65_536 + 10_000)
  assert.deepEqual(
    given.map(({ length }) => length),
    [...alone.map(() => 0), 10_000],
  )
})

import assert from 'node:assert/strict'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { freedWhenSent } from './sent-pieces.ts'

const pieceBytes = 256 * 1024
const pieces = () => Array.from({ length: 100 }, (_, at) => Buffer.allocUnsafeSlow(pieceBytes).fill(at))

test('the memory of what is sent is given back as it leaves, and what comes is what was sent', async (t) => {
  const sent = pieces()
  let heldMost = 0
  async function* given() {
    for (const [at, piece] of sent.entries()) {
      heldMost = Math.max(heldMost, sent.slice(0, at).filter(({ length }) => length > 0).length)
      yield piece
    }
  }
  const server = createServer((_request, response) => {
    freedWhenSent(Readable.from(given(), { objectMode: false }), response).pipe(response)
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const got = await new Promise<Buffer>((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent: false }, (response) => buffer(response).then(resolve, reject))
  })
  assert.ok(got.equals(Buffer.concat(pieces())))
  assert.ok(heldMost < 10, `${heldMost} of ${sent.length} pieces at a time`)
  assert.ok(sent.filter(({ length }) => length > 0).length < 10)
})

test('what has not left stays, and so does a piece of a larger buffer', async () => {
  const response = { writableLength: 2 * pieceBytes + 1 }
  const room = Buffer.allocUnsafeSlow(2 * pieceBytes)
  const all = [...pieces().slice(0, 4), room.subarray(0, pieceBytes), ...pieces().slice(0, 4)]
  // Pieces that are there at once would be put together into one.
  async function* oneByOne() {
    for (const piece of all) {
      await new Promise(setImmediate)
      yield piece
    }
  }
  const content = freedWhenSent(Readable.from(oneByOne(), { objectMode: false, highWaterMark: 0 }), response)
  for await (const _ of content);
  assert.deepEqual(
    all.map(({ length }) => length > 0),
    all.map((piece, at) => at >= all.length - 3 || piece.buffer === room.buffer),
  )
})

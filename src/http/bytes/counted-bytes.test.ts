import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import Fastify, { type FastifyRequest } from 'fastify'
import { RawConnection, rawExchange, rawStatuses } from '../../../test/raw.ts'
import { profiles } from '../../protocol/profile.ts'
import { type ByteBounds, byteBounds } from './byte-bounds.ts'
import { BytesInFlight, TooManyBytes } from './bytes-in-flight.ts'
import { countBytes, heldBytesOf } from './counted-bytes.ts'
import { sendTooManyBytes } from './too-many-bytes.ts'

/** More than the kernel holds for a reader that does not read. */
const answerBytes = 24 * 1024 * 1024
const MiB = 1024 * 1024

interface Running {
  readonly url: string
  readonly all: BytesInFlight
  /** Lets go on what waits at `/work`. */
  readonly work: {
    begun: PromiseWithResolvers<void>
    end: PromiseWithResolvers<void>
    /** How many bytes of a body wait that nobody reads. */
    unread: PromiseWithResolvers<() => number>
  }
}

async function running(
  t: TestContext,
  bounds: Partial<ByteBounds> = {},
  { answerMsMax = 60_000, bodyLimit = 16 * MiB } = {},
): Promise<Running> {
  const room = { ofAddressBytesMax: 1000 * MiB, largeOfAllBytesMax: 1000 * MiB, allBytesMax: 1000 * MiB }
  const all = new BytesInFlight({ ...byteBounds, ...room, ...bounds })
  const app = Fastify({ bodyLimit })
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof TooManyBytes) return sendTooManyBytes(reply, error, profiles.millennium)
    return reply.code(500).send(String(error))
  })
  countBytes(app, all, { answerMsMax, paceMs: 60_000, paceBytesMin: 1 })
  const work = {
    begun: Promise.withResolvers<void>(),
    end: Promise.withResolvers<void>(),
    unread: Promise.withResolvers<() => number>(),
  }
  app.post('/length', async ({ body }) => String((body as Buffer).length))
  const wait = async ({ raw }: FastifyRequest) => {
    work.unread.resolve(() => raw.readableLength)
    await work.end.promise
  }
  app.post('/unread', { onRequest: wait }, async ({ body }) => String((body as Buffer).length))
  app.post('/work', async (request) => {
    work.begun.resolve()
    await work.end.promise
    return String((request.body as Buffer).length)
  })
  app.get('/large', async (request: FastifyRequest, reply) => {
    reply.header('ETag', 'W/"1"').type('text/plain')
    if ('admitted' in (request.query as object)) heldBytesOf(request).take(answerBytes)
    return Buffer.alloc(answerBytes, 'x')
  })
  app.get('/small', async () => 'x'.repeat(100))
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => {
    app.server.closeAllConnections()
    return app.close()
  })
  return { url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, all, work }
}

const head = (line: string, ...headers: string[]) => [line, 'Host: x', ...headers, '', ''].join('\r\n')
const post = (path: string, length: number) => head(`POST ${path} HTTP/1.1`, `Content-Length: ${length}`)

/** Waits until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5))
}

const nothingHeld = (all: BytesInFlight) => until(() => all.held === 0 && all.holders === 0)

/** A connection whose reader takes nothing. */
function unread(url: string, requests: string): RawConnection {
  const connection = new RawConnection(url)
  connection.socket.pause()
  connection.send(requests)
  return connection
}

test('a body counts from its headers on, and no more when it is broken off before its last byte', async (t) => {
  const { url, all } = await running(t)
  const connection = new RawConnection(url)
  connection.send(post('/length', 5_000_000) + 'x'.repeat(100))
  await until(() => all.held === 5_000_000)
  connection.socket.destroy()
  await nothingHeld(all)
})

test('a body that does not fit is not read, and the next request on its connection is answered', async (t) => {
  const { url, all } = await running(t, { ofAddressBytesMax: 1_000_000 })
  for (const [length, status] of [
    [999_999, 200],
    [1_000_000, 200],
    [1_000_001, 429],
  ] as const) {
    const connection = new RawConnection(url)
    connection.send(post('/length', length) + 'x'.repeat(length))
    await connection.until(/HTTP\/1\.1 /)
    await nothingHeld(all)
    connection.send(head('GET /small HTTP/1.1', 'Connection: close'))
    const received = await connection.closed
    assert.deepEqual(rawStatuses(received), [status, 200], `${length} bytes`)
    if (status === 429) assert.match(received, /retry-after: 5\r\n/i)
  }
})

test('the work of a request whose client has gone holds its body until it ends', async (t) => {
  const { url, all, work } = await running(t)
  const connection = new RawConnection(url)
  connection.send(post('/work', 70_000) + 'x'.repeat(70_000))
  await work.begun.promise
  connection.socket.destroy()
  const probe = new RawConnection(url)
  probe.send(head('GET /small HTTP/1.1'))
  await probe.until(/x{100}/)
  probe.socket.destroy()
  await until(() => all.held === 70_000)
  work.end.resolve()
  await nothingHeld(all)
})

test('answers that are not read count until they have left or their connections are closed, also those behind another', async (t) => {
  const { url, all } = await running(t)
  const connection = unread(url, head('GET /large HTTP/1.1').repeat(3))
  await until(() => all.held === 3 * answerBytes)
  connection.socket.destroy()
  await nothingHeld(all)
  const received = await rawExchange(url, head('GET /large HTTP/1.1', 'Connection: close'))
  assert.equal(received.length - received.indexOf('\r\n\r\n') - 4, answerBytes)
  await nothingHeld(all)
})

for (const query of ['', '?admitted']) {
  test(`an answer that does not fit is 429 and says nothing of itself${query && ', also when it was asked for before'}`, async (t) => {
    const { url, all } = await running(t, { ofAddressBytesMax: answerBytes })
    const first = unread(url, head('GET /large HTTP/1.1'))
    await until(() => all.held === answerBytes)
    const received = await rawExchange(url, head(`GET /large${query} HTTP/1.1`, 'Connection: close'))
    assert.deepEqual(rawStatuses(received), [429])
    assert.match(received, /At most 24 MiB of bodies and answers may be at a time\. Ask again in 5 s\./)
    assert.doesNotMatch(received, /etag/i)
    first.socket.destroy()
    await nothingHeld(all)
    assert.deepEqual(rawStatuses(await rawExchange(url, head('GET /large HTTP/1.1', 'Connection: close'))), [200])
  })
}

test('a reader that takes nothing of an answer is let go', async (t) => {
  const { url, all } = await running(t, {}, { answerMsMax: 100 })
  const connection = unread(url, head('GET /large HTTP/1.1'))
  await until(() => all.held === answerBytes)
  await nothingHeld(all)
  connection.socket.resume()
  assert.ok((await connection.closed).length < answerBytes)
})

test('HEAD tells the length of a large answer and has none', async (t) => {
  const { url, all } = await running(t)
  const received = await rawExchange(url, head('HEAD /large HTTP/1.1', 'Connection: close'))
  assert.match(received, new RegExp(`content-length: ${answerBytes}\\r\\n`, 'i'))
  assert.ok(received.endsWith('\r\n\r\n'))
  await nothingHeld(all)
})

test('of a body in chunks of a byte no more than one piece of the network waits until somebody reads it', async (t) => {
  const { url, work } = await running(t)
  const connection = new RawConnection(url)
  const chunks = 40_000
  connection.send(
    `${head('POST /unread HTTP/1.1', 'Transfer-Encoding: chunked')}${'1\r\n \r\n'.repeat(chunks)}0\r\n\r\n`,
  )
  const unread = await work.unread.promise
  const probe = new RawConnection(url)
  for (let round = 0; round < 10; round++) {
    probe.received = ''
    probe.send(head('GET /small HTTP/1.1'))
    await probe.until(/x{100}/)
  }
  assert.ok(unread() <= 65_536 / 6, `${unread()} pieces`)
  work.end.resolve()
  await connection.until(/HTTP\/1\.1 /)
  for (const { socket } of [probe, connection]) socket.destroy()
})

test('requests that are broken off anywhere leave no bytes and no timers', async (t) => {
  const { url, all, work } = await running(t)
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const whole = post('/length', 200_000) + 'x'.repeat(200_000)
  const sent = [whole.slice(0, 50), whole.slice(0, 90_000), whole, head('GET /large HTTP/1.1').repeat(2)]
  for (const bytes of [...sent, ...sent, post('/work', 100) + 'x'.repeat(100)]) {
    const connection = unread(url, bytes)
    await new Promise((resolve) => connection.socket.once('connect', () => setTimeout(resolve, 30)))
    connection.socket.destroy()
  }
  work.end.resolve()
  await nothingHeld(all)
  await until(() => timers() <= before)
})

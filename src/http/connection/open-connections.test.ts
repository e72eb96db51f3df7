import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { certificateOne } from '../../../test/certificates.ts'
import { RawConnection, rawStatuses } from '../../../test/raw.ts'
import { connectionBounds } from './connection-bounds.ts'
import { type Drop, OpenConnections } from './open-connections.ts'

/** Only Linux lets a program call from every address of 127.0.0.0/8. */
const skip = process.platform === 'linux' ? false : 'needs 127.0.0.2'
const [own, other] = ['127.0.0.1', '127.0.0.2']
const live = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const stalled = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf'

interface Running {
  readonly call: (from?: string) => RawConnection
  /** A connection on which a request was answered. */
  readonly answered: (from?: string) => Promise<RawConnection>
  readonly drops: [Drop, string][]
  readonly connections: OpenConnections
  readonly port: number
}

/** A server that answers at once, unless the test says how. */
async function running(
  t: TestContext,
  given: Partial<typeof connectionBounds>,
  more: { readonly proxies?: readonly string[]; readonly answer?: RequestListener; readonly tls?: boolean } = {},
): Promise<Running> {
  const { proxies = [], answer = (_request, response) => response.end('ok'), tls } = more
  const server: Server = tls ? (createTlsServer(certificateOne, answer) as unknown as Server) : createServer(answer)
  const drops: [Drop, string][] = []
  const connections = new OpenConnections({ ...connectionBounds, ...given }, proxies, (...drop) => drops.push(drop))
  connections.follow(server)
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const opened: RawConnection[] = []
  t.after(() => {
    for (const { socket } of opened) socket.destroy()
    server.closeAllConnections()
    server.close()
  })
  const call = (from = own) => {
    const connection = new RawConnection(url, from)
    opened.push(connection)
    return connection
  }
  const asked = async (from = own) => {
    const connection = call(from)
    connection.send(live)
    await connection.until(/ok$/)
    return connection
  }
  return { call, answered: asked, drops, connections, port }
}

const isOpen = async (connection: RawConnection): Promise<boolean> => {
  connection.received = ''
  connection.send(live)
  await Promise.race([once(connection.socket, 'data'), connection.closed])
  return rawStatuses(connection.received)[0] === 200
}

test('of an address that has as many as it may, the one goes that has been idle for longest', async (t) => {
  const { answered, drops } = await running(t, { connectionsOfAddressMax: 3 })
  const [first, second, third] = [await answered(), await answered(), await answered()]
  assert.ok(await isOpen(first), 'the first was opened first, but the second is idle for longest now')
  const fourth = await answered()
  assert.equal(await second.closed, second.received)
  for (const connection of [first, third, fourth]) assert.ok(await isOpen(connection))
  assert.deepEqual(drops, [['address full', own]])
})

test('what one address does costs another nothing, until all are full; then too the longest idle goes', {
  skip,
}, async (t) => {
  const { answered, drops } = await running(t, { connectionsOfAddressMax: 2, connectionsMax: 3 })
  const others = await answered(other)
  const [first] = [await answered(), await answered(), await answered()]
  await first.closed
  assert.ok(await isOpen(others))
  const last = await answered(other)
  assert.ok(await isOpen(last))
  assert.ok(await isOpen(others))
  assert.deepEqual(drops, [
    ['address full', own],
    ['server full', own],
  ])
})

test('a request that does not come to its end goes before one that is being answered; the new one goes when all are', async (t) => {
  const waiting = Promise.withResolvers<void>()
  let seen = 0
  const answer: RequestListener = async (request, response) => {
    seen += 1
    if (request.method === 'POST') return
    await waiting.promise
    response.end('ok')
  }
  const { call, drops } = await running(t, { connectionsOfAddressMax: 2 }, { answer })
  const half = call()
  half.send(stalled)
  const whole = call()
  whole.send(live)
  while (seen < 2) await new Promise(setImmediate)
  const third = call()
  third.send(live)
  assert.equal(await half.closed, '')
  while (seen < 3) await new Promise(setImmediate)
  const fourth = call()
  assert.equal(await fourth.closed, '')
  waiting.resolve()
  for (const connection of [whole, third]) assert.deepEqual(rawStatuses(await connection.until(/ok$/)), [200])
  assert.equal(drops.length, 2)
})

test('a proxy that is named is no address: only the bound of all holds for it', async (t) => {
  for (const proxies of [['127.0.0.0/8'], [own]]) {
    const { answered, drops } = await running(t, { connectionsOfAddressMax: 1, connectionsMax: 3 }, { proxies })
    const first = await answered()
    for (let count = 0; count < 3; count++) await answered()
    await first.closed
    assert.deepEqual(drops, [['server full', own]])
  }
})

test('a connection on which nothing is said is not waited for', async (t) => {
  const { call, drops } = await running(t, { firstByteMsMax: 100 })
  assert.equal(await call().closed, '')
  assert.deepEqual(drops, [['silent', own]])
})

test('a proxy that is named opens connections ahead', async (t) => {
  for (const tls of [false, true]) {
    // Timers of one length end in the order in which they began, so what is not dropped before the other one's never is.
    const ahead = await running(t, { firstByteMsMax: 50 }, { proxies: [own], tls })
    const others = await running(t, { firstByteMsMax: 50 }, { tls })
    const opened: Socket[] = []
    for (const { port } of [ahead, others]) {
      const socket = tls ? connectTls({ port, host: own, rejectUnauthorized: false }) : connect(port, own)
      t.after(() => socket.destroy())
      await once(socket, tls ? 'secureConnect' : 'connect')
      opened.push(socket)
    }
    await once(opened[1]!.resume(), 'close')
    assert.deepEqual([ahead.drops, others.drops], [[], [['silent', own]]])
    opened[0]!.write(live)
    const [answer] = await once(opened[0]!, 'data')
    assert.deepEqual(rawStatuses(String(answer)), [200])
  }
})

test('with TLS, a handshake that does not come counts, and after one the first byte is waited for', async (t) => {
  const { call, drops, port } = await running(t, { firstByteMsMax: 100, connectionsOfAddressMax: 2 }, { tls: true })
  const first = call()
  for (let count = 0; count < 2; count++) await once(call().socket, 'connect')
  assert.equal(await first.closed, '')
  assert.deepEqual(drops, [['address full', own]])
  const silent = connectTls({ port, host: own, rejectUnauthorized: false })
  await once(silent, 'secureConnect')
  await once(silent.resume(), 'close')
  assert.deepEqual(drops.at(-1), ['silent', own])
})

test('a connection on which a byte was said has the time of a request', async (t) => {
  const { call, drops } = await running(t, { firstByteMsMax: 1_500 })
  const slow = call()
  slow.send('G')
  assert.equal(await call().closed, '')
  slow.send(live.slice(1))
  await slow.until(/ok$/)
  assert.equal(drops.length, 1)
})

test('nothing is remembered of addresses that have gone', async (t) => {
  const { answered, connections } = await running(t, {})
  const open = [await answered(), await answered()]
  assert.equal(connections.networks, 1)
  for (const { socket } of open) socket.end()
  while (connections.networks > 0) await new Promise(setImmediate)
})

test('so many requests may be sent before the first answer, and with one more the connection is closed', async (t) => {
  const held: ServerResponse[] = []
  const answer: RequestListener = (_request, response) => void held.push(response)
  const { call, drops } = await running(t, { requestsAtOnceMax: 3 }, { answer })
  const within = call()
  within.send(live.repeat(3))
  while (held.length < 3) await new Promise(setImmediate)
  for (const response of held) response.end('ok')
  await within.until(/(HTTP.*){3}/s)
  assert.deepEqual(drops, [])
  const beyond = call()
  beyond.send(live.repeat(4))
  assert.deepEqual(rawStatuses(await beyond.closed), [])
  assert.deepEqual(drops, [['too many at once', own]])
})

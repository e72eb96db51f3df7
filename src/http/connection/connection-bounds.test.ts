import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import type { Pool } from 'pg'
import pino from 'pino'
import { certificateOne } from '../../../test/certificates.ts'
import { RawConnection, rawExchange, rawStatuses } from '../../../test/raw.ts'
import { signContentLink } from '../../access/content-link.ts'
import type { FileStore } from '../../files/file-store.ts'
import { contextFor } from '../context.fixture.ts'
import { contentPath } from '../files/content.ts'
import { buildServer, type Exposure } from '../server.ts'
import { Certificate } from './certificate.ts'
import { type ConnectionBounds, connectionBounds } from './connection-bounds.ts'

const fileId = randomUUID()
const contentSecret = randomBytes(32)

interface Running {
  readonly url: string
  /** Asked before a download finds its file. */
  readonly look: { before: () => Promise<void> }
  readonly logged: { readonly msg: string }[]
  /** The stream behind the last download. */
  readonly lastRead: () => Readable
}

/** A server that has one file of these bytes, and no database. */
async function running(
  t: TestContext,
  bounds: Partial<ConnectionBounds>,
  file = Buffer.alloc(0),
  exposure: Exposure = {},
): Promise<Running> {
  const part = { id: fileId, client: 'client', path: 'path', bytes: file.length, gzipBytes: file.length }
  const look = { before: async () => {} }
  const found = async () => {
    await look.before()
    return { rows: [part] }
  }
  const pool = { query: found } as unknown as Pool
  let stream = Readable.from([])
  const files = {
    read: async () => {
      stream = Readable.from(chunks(file))
      return stream
    },
  } as Partial<FileStore> as FileStore
  const context = contextFor({ pool, files, contentSecret }, () => new Date(), 'http://127.0.0.1')
  const all = { ...exposure, bounds: { ...connectionBounds, ...bounds } }
  const logged: { readonly msg: string }[] = []
  const app = buildServer(context, pino({}, { write: (line) => logged.push(JSON.parse(line)) }), all)
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => {
    app.server.closeAllConnections()
    return app.close()
  })
  return { url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, lastRead: () => stream, look, logged }
}

const chunkBytes = 256 * 1024

function* chunks(file: Buffer): Generator<Buffer> {
  for (let start = 0; start < file.length; start += chunkBytes) yield file.subarray(start, start + chunkBytes)
}

const head = (line: string, ...headers: string[]) => [line, 'Host: x', ...headers, '', ''].join('\r\n')
const live = head('GET /livez HTTP/1.1')
const quick = { headersMsMax: 150, requestMsMax: 300, lateEveryMs: 20 }

test('headers that do not end in time are answered 408, and the connection is closed', async (t) => {
  const { url } = await running(t, quick)
  const received = await rawExchange(url, 'GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  assert.deepEqual(rawStatuses(received), [408])
  assert.match(received, /"resourceType":"OperationOutcome".*"code":"timeout"/)
  assert.match(received, /^Connection: close\r$/m)
  assert.match(received, /^Content-Security-Policy: default-src 'none'/m)
  assert.match(received, /^X-Request-Id: [0-9a-f-]{36}\r$/m)
})

for (const [what, request, status, code] of [
  ['a request without Host', 'GET /livez HTTP/1.1\r\n\r\n', 400, 'invalid'],
  ['a request with two hosts', 'GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n', 400, 'invalid'],
  ['an expectation that is not known', head('GET /livez HTTP/1.1', 'Expect: 200-ok'), 417, 'not-supported'],
  [
    'one with a body',
    head('POST /oauth2/clinic/token HTTP/1.1', 'Expect: x', 'Content-Length: 9'),
    417,
    'not-supported',
  ],
] as const) {
  test(`${what} is answered ${status} with an outcome, and the connection is closed`, async (t) => {
    const { url } = await running(t, {})
    const received = await rawExchange(url, request)
    assert.deepEqual(rawStatuses(received), [status])
    assert.match(received, new RegExp(`"resourceType":"OperationOutcome".*"code":"${code}"`))
    assert.match(received, /^x-request-id: [0-9a-f-]{36}\r$/im)
    assert.match(received, /^connection: close\r$/im)
  })
}

test('HTTP/1.0 needs no Host, and 100-continue is met', async (t) => {
  const { url } = await running(t, {})
  assert.deepEqual(rawStatuses(await rawExchange(url, 'GET /livez HTTP/1.0\r\n\r\n')), [200])
  const asked = head('GET /livez HTTP/1.1', 'Expect: 100-continue', 'Connection: close')
  assert.deepEqual(rawStatuses(await rawExchange(url, asked)), [100, 200])
})

test('headers that trickle are not given more time', async (t) => {
  const { url } = await running(t, quick)
  const connection = new RawConnection(url)
  connection.send('GET /livez HTTP/1.1\r\nHost: x\r\n')
  const drip = setInterval(() => connection.send('X-More: 1\r\n'), 10)
  const received = await connection.closed
  clearInterval(drip)
  assert.deepEqual(rawStatuses(received), [408])
})

test('a body that does not come in time is answered 408, and the connection is closed', async (t) => {
  const { url } = await running(t, quick)
  const post = head('POST /oauth2/clinic/token HTTP/1.1', 'Content-Length: 100')
  assert.deepEqual(rawStatuses(await rawExchange(url, `${post}half`)), [408])
})

test('a request that comes in pieces, but in time, is answered', async (t) => {
  const { url } = await running(t, {})
  const connection = new RawConnection(url)
  for (const piece of live.match(/[\s\S]{1,7}/g) ?? []) {
    connection.send(piece)
    await new Promise(setImmediate)
  }
  assert.deepEqual(rawStatuses(await connection.until(/"status":"ok"/)), [200])
  connection.socket.destroy()
})

test('a connection on which nothing is ever said is closed', async (t) => {
  const { url } = await running(t, { ...quick, silenceMsMax: 100 })
  assert.match(await rawExchange(url, ''), /^(HTTP\/1\.1 408 |$)/)
})

test('a connection that is kept open without a request is closed', async (t) => {
  const { url } = await running(t, { keepAliveMsMax: 100 })
  assert.deepEqual(rawStatuses(await rawExchange(url, live)), [200])
})

test('the headers of a request may have 32 KiB together, not a byte more', async (t) => {
  const { url } = await running(t, {})
  const sized = (bytes: number) => {
    const start = head('GET /livez HTTP/1.1', 'Connection: close', 'X-Filler: ')
    return start.replace('X-Filler: ', `X-Filler: ${'x'.repeat(bytes - start.length)}`)
  }
  const { headersBytesMax } = connectionBounds
  for (const [bytes, status] of [
    [headersBytesMax - 1, 200],
    [headersBytesMax, 200],
    [headersBytesMax + 64, 431],
    [headersBytesMax * 20, 431],
  ] as const) {
    const received = await rawExchange(url, sized(bytes))
    assert.deepEqual(rawStatuses(received), [status], `${bytes} bytes`)
    if (status === 431) assert.match(received, /"resourceType":"OperationOutcome"/)
  }
})

test('a connection carries so many requests, and the last answer says that it is closed', async (t) => {
  const { url } = await running(t, { requestsPerConnectionMax: 3 })
  const connection = new RawConnection(url)
  for (const count of [1, 2, 3]) {
    connection.received = ''
    connection.send(live)
    const answer = await connection.until(/"status":"ok"/)
    assert.equal(/^connection: close/im.test(answer), count === 3)
  }
  connection.socket.destroy()
})

/** More than the kernel holds for a reader that does not read. */
const fileBytes = 32 * 1024 * 1024

function download(): string {
  const expires = new Date(Date.now() + 60_000)
  const link = signContentLink({ secret: contentSecret, path: contentPath(fileId), fileId, expires })
  return head(`GET ${link} HTTP/1.1`, 'Accept-Encoding: gzip')
}

/** A stream that is broken off may say so with an error. */
async function closing(stream: Readable): Promise<void> {
  if (!stream.closed) await new Promise<void>((resolve) => stream.once('close', resolve))
}

test('a reader that stops is let go, and the file behind it closed', async (t) => {
  const { url, lastRead } = await running(t, { paceMs: 100 }, Buffer.alloc(fileBytes))
  const connection = new RawConnection(url)
  connection.send(download())
  await connection.until(/^HTTP\/1\.1 200 /)
  connection.socket.pause()
  await closing(lastRead())
  assert.equal(lastRead().readableEnded, false, 'not all was sent')
  connection.socket.resume()
  await connection.closed
  assert.ok(connection.received.length < fileBytes)
})

test('a reader that goes away lets go of the file', async (t) => {
  const { url, lastRead } = await running(t, {}, Buffer.alloc(fileBytes))
  const connection = new RawConnection(url)
  connection.send(download())
  await connection.until(/^HTTP\/1\.1 200 /)
  connection.socket.destroy()
  await closing(lastRead())
  assert.equal(lastRead().destroyed, true)
})

test('a reader that goes away before the file is found leaves nothing behind: no file is opened, one line is logged', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const { url, lastRead, look, logged } = await running(t, {}, Buffer.alloc(fileBytes))
  const [asked, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  look.before = async () => {
    asked.resolve()
    await gone.promise
  }
  const before = lastRead()
  const connection = new RawConnection(url)
  connection.send(download())
  await asked.promise
  const open = timers()
  connection.socket.destroy()
  const probe = new RawConnection(url)
  probe.send(live)
  await probe.until(/"status":"ok"/)
  probe.socket.destroy()
  gone.resolve()
  while (!logged.some(({ msg }) => msg === 'download broken off')) await new Promise(setImmediate)
  assert.equal(lastRead(), before, 'nothing was opened')
  assert.ok(timers() <= open, `${timers()} timers, ${open} before`)
  assert.equal(logged.filter(({ msg }) => msg === 'download broken off').length, 1)
})

test('a TLS handshake that does not come is not waited for, one that is none is not answered', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bounds-'))
  t.after(() => rm(directory, { recursive: true }))
  const files = { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key') }
  await writeFile(files.cert, certificateOne.cert)
  await writeFile(files.key, certificateOne.key)
  const certificate = await Certificate.open(files, pino({ level: 'silent' }))
  const { url } = await running(t, { handshakeMsMax: 100 }, undefined, { certificate })
  assert.equal(await rawExchange(url, ''), '')
  assert.equal(await rawExchange(url, live), '')
})

const nowhere = (forwarded: string) =>
  head('GET /nowhere HTTP/1.1', 'Connection: close', `X-Forwarded-For: ${forwarded}`)

test('X-Forwarded-For counts from a proxy that is named, as far as the proxy itself has seen', async (t) => {
  const rates = { client: undefined, address: 0.1, poll: undefined }
  const { url } = await running(t, {}, undefined, { rates, proxies: ['127.0.0.0/8'] })
  const ask = async (forwarded: string) => rawStatuses(await rawExchange(url, nowhere(forwarded)))[0]
  assert.equal(await ask('192.0.2.1'), 404)
  assert.equal(await ask('192.0.2.2'), 404)
  assert.equal(await ask('192.0.2.1'), 429)
  assert.equal(await ask('198.51.100.7, 192.0.2.1'), 429, 'what a client claims before the proxy does not count')
})

test('X-Forwarded-For counts from nobody else', async (t) => {
  const rates = { client: undefined, address: 0.1, poll: undefined }
  const { url } = await running(t, {}, undefined, { rates, proxies: ['192.0.2.9'] })
  const ask = async (forwarded: string) => rawStatuses(await rawExchange(url, nowhere(forwarded)))[0]
  assert.equal(await ask('192.0.2.1'), 404)
  assert.equal(await ask('192.0.2.2'), 429)
})

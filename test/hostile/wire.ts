import assert from 'node:assert/strict'
import { RawConnection, rawExchange, rawStatuses } from '../raw.ts'
import { assertRefused } from '../scenarios/outcome.ts'
import { type Attack, bearer, pathOf, send, type Target } from './target.ts'

/** What is smuggled behind a request; nobody may answer it. */
const smuggled = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'
const post = (...headers: string[]) =>
  ['POST /oauth2/clinic/token HTTP/1.1', 'Host: x', ...headers, '', ''].join('\r\n')

const refusedShapes: Readonly<Record<string, string>> = {
  'Content-Length and Transfer-Encoding': `${post('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n${smuggled}`,
  'Transfer-Encoding and Content-Length': `${post('Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n${smuggled}`,
  'two lengths': `${post('Content-Length: 5', 'Content-Length: 6')}hello${smuggled}`,
  'a list of lengths': `${post('Content-Length: 5, 5')}hello${smuggled}`,
  'a negative length': `${post('Content-Length: -1')}${smuggled}`,
  'a length with a sign': `${post('Content-Length: +5')}hello${smuggled}`,
  'a hexadecimal length': `${post('Content-Length: 0x5')}hello${smuggled}`,
  'a length beyond all numbers': `${post(`Content-Length: ${'9'.repeat(40)}`)}hello${smuggled}`,
  'an unknown coding': `${post('Transfer-Encoding: xchunked')}0\r\n\r\n${smuggled}`,
  'chunked that is not last': `${post('Transfer-Encoding: chunked, identity')}0\r\n\r\n${smuggled}`,
  'a blank before the colon': `${post('Transfer-Encoding : chunked')}0\r\n\r\n${smuggled}`,
  'a folded header': `${post('Transfer-Encoding:', ' chunked')}0\r\n\r\n${smuggled}`,
  'a chunk size that is none': `${post('Transfer-Encoding: chunked')}zz\r\nhello\r\n0\r\n\r\n${smuggled}`,
  'a chunk size beyond all numbers': `${post('Transfer-Encoding: chunked')}${'f'.repeat(20)}\r\nhello\r\n0\r\n\r\n`,
  'a chunk that is longer than it says': `${post('Transfer-Encoding: chunked')}1\r\nhello\r\n0\r\n\r\n${smuggled}`,
  'a chunk extension without end': `${post('Transfer-Encoding: chunked')}1;${'x'.repeat(40_000)}`,
  'a line end in a header name': 'GET /livez HTTP/1.1\r\nHost: x\r\nX\n-Y: 1\r\n\r\n',
  'a lonely carriage return': 'GET /livez HTTP/1.1\r\nHost: x\rX-Y: 1\r\n\r\n',
  'a NUL in a header': 'GET /livez HTTP/1.1\r\nHost: x\r\nX-Y: a\0b\r\n\r\n',
  'a header without a name': 'GET /livez HTTP/1.1\r\nHost: x\r\n: 1\r\n\r\n',
  'no Host': 'GET /livez HTTP/1.1\r\n\r\n',
  'a method in small letters': 'get /livez HTTP/1.1\r\nHost: x\r\n\r\n',
  'a method that is none': 'FOO /livez HTTP/1.1\r\nHost: x\r\n\r\n',
  'another protocol': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a version that is none': 'GET /livez HTTP/9.9\r\nHost: x\r\n\r\n',
  'a TLS greeting': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
}

/** What must be one answer of 4xx and then the end of the connection. */
const refusals: readonly Attack[] = Object.entries(refusedShapes).map(([shape, bytes]) => ({
  against: 'where a request begins',
  attack: shape,
  run: async ({ suite }) => {
    const received = await rawExchange(suite.server.url, bytes)
    const statuses = rawStatuses(received)
    assert.ok(statuses.length <= 1, `${statuses} ${received}`)
    assert.ok(
      statuses.every((status) => status >= 400 && status < 500),
      `${statuses}`,
    )
    assert.doesNotMatch(received, /"status":"ok"/)
  },
}))

const evil = 'evil.example.org'

/** The status and everything of the answers to requests that name another host. */
async function withHost(target: Target, ...headers: string[]): Promise<string> {
  const { token } = target.owner
  const lines = [
    `GET ${new URL(target.file).pathname} HTTP/1.1`,
    `Authorization: Bearer ${token}`,
    'Connection: close',
    ...headers,
    '',
    '',
  ]
  return rawExchange(target.suite.server.url, lines.join('\r\n'))
}

/** Requests that are no proper HTTP, or mean to be read differently by a proxy and by the server. */
export const wireAttacks: readonly Attack[] = [
  ...refusals,
  {
    against: 'where a request begins',
    attack: 'a request in the body of one that is refused before its body is read: not answered',
    run: async ({ suite }) => {
      const head = ['POST /r4/clinic/Patient/$export HTTP/1.1', 'Host: x', `Content-Length: ${smuggled.length}`]
      const connection = new RawConnection(suite.server.url)
      connection.send(
        `${head.join('\r\n')}\r\n\r\n${smuggled}GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      )
      assert.deepEqual(rawStatuses(await connection.closed), [401, 404])
    },
  },
  {
    against: 'the next request of a connection',
    attack: 'chunked bodies that nobody reads: what comes behind them is answered',
    run: async ({ suite, owner, finished, file }) => {
      for (const [method, path] of [
        ['GET', '/livez'],
        ['GET', '/r4/clinic/metadata'],
        ['GET', pathOf(finished)],
        ['HEAD', pathOf(file)],
        ['GET', '/r4/clinic/Patient/nobody'],
        ['DELETE', '/r4/clinic/Patient/nobody'],
      ]) {
        const chunked = [`${method} ${path} HTTP/1.1`, 'Host: x', `Authorization: Bearer ${owner.token}`]
        const connection = new RawConnection(suite.server.url)
        connection.send(`${[...chunked, 'Transfer-Encoding: chunked'].join('\r\n')}\r\n\r\n0\r\n\r\n`)
        await connection.until(/^HTTP\/1\.1 \d/)
        connection.send('GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        assert.equal(rawStatuses(await connection.closed).at(-1), 200, `${method} ${path}`)
      }
    },
  },
  {
    against: 'URLs in answers',
    attack: 'Host, X-Forwarded-Host, Forwarded and an absolute request target that name another host',
    run: async (target) => {
      const { url } = target.suite.server
      const lies = ['X-Forwarded-Host', 'X-Forwarded-Server', 'X-Original-URL', 'X-Host', 'X-HTTP-Host-Override']
      for (const headers of [[`Host: ${evil}`], ...lies.map((name) => ['Host: x', `${name}: ${evil}`])]) {
        const received = await withHost(target, ...headers, `Forwarded: host=${evil};proto=https`)
        assert.deepEqual(rawStatuses(received), [307])
        assert.ok(received.includes(`ocation: ${url}/content/`), received)
        assert.ok(!received.includes(evil), received)
      }
      const absolute = `GET http://${evil}/r4/clinic/metadata HTTP/1.1\r\nHost: ${evil}\r\nConnection: close\r\n\r\n`
      assert.ok(!(await rawExchange(url, absolute)).includes(evil))
    },
  },
  {
    against: 'URLs in answers',
    attack: 'two Host headers: refused',
    run: async (target) => {
      for (const second of [`Host: ${evil}`, 'host: x', 'HOST:']) {
        const received = await withHost(target, 'Host: x', second)
        assert.deepEqual(rawStatuses(received), [400], second)
        assert.ok(!received.includes(evil))
      }
    },
  },
  {
    against: 'the log and the headers of answers',
    attack: 'X-Request-Id and opc-request-id of the caller are not taken over',
    run: async (target) => {
      const headers = { 'x-request-id': 'mine', 'opc-request-id': 'mine', 'x-correlation-id': 'mine' }
      const answer = await send(target, 'GET', '/livez', headers)
      assert.doesNotMatch(JSON.stringify(answer.headers), /mine/)
      const lines = target.suite.server.log.split('\n').filter((line) => line.includes('mine'))
      for (const line of lines) assert.equal(line.replace('"callerReqId":"mine"', '').includes('mine'), false, line)
    },
  },
  {
    against: 'jobs',
    attack: 'another method by X-HTTP-Method-Override or _method: not looked at',
    run: async (target) => {
      const headers = { ...bearer(target.owner), 'x-http-method-override': 'DELETE', 'x-method-override': 'DELETE' }
      const path = pathOf(target.finished)
      assert.equal((await send(target, 'GET', `${path}?_method=DELETE`, headers)).status, 200)
      assertRefused(await send(target, 'POST', `${path}?_method=DELETE`, headers), 405, 'not-supported')
    },
  },
  {
    against: 'tokens',
    attack: 'TRACE, PROPFIND, PATCH, PUT, QUERY on a job: refused, and nothing is sent back',
    run: async (target) => {
      for (const method of ['TRACE', 'PROPFIND', 'PATCH', 'PUT', 'QUERY', 'LINK', 'PURGE']) {
        const answer = await send(target, method, pathOf(target.finished), bearer(target.owner))
        assert.ok(answer.status === 404 || answer.status === 405, `${method}: ${answer.status}`)
        assert.ok(!answer.body.toString().includes(target.owner.token))
      }
    },
  },
  {
    against: 'other machines',
    attack: 'CONNECT and Upgrade: no tunnel',
    run: async ({ suite }) => {
      const connect = 'CONNECT 127.0.0.1:5432 HTTP/1.1\r\nHost: 127.0.0.1:5432\r\n\r\n'
      assert.ok(rawStatuses(await rawExchange(suite.server.url, connect)).every((status) => status >= 400))
      const upgrade = smuggled.replace('\r\n\r\n', '\r\nConnection: Upgrade, close\r\nUpgrade: h2c, websocket\r\n\r\n')
      assert.deepEqual(rawStatuses(await rawExchange(suite.server.url, upgrade)), [200])
    },
  },
  {
    against: 'tokens',
    attack: 'an Authorization header that is there twice, in a query, in a cookie, or in another scheme',
    run: async (target) => {
      const { token } = target.owner
      const path = pathOf(target.finished)
      const headers = [
        {},
        { cookie: `access_token=${token}` },
        { authorization: `Basic ${Buffer.from(`x:${token}`).toString('base64')}` },
        { authorization: `Bearer ${token}, Bearer ${token}` },
        { authorization: `Bearer ${'x'.repeat(8_200)}` },
        { authorization: 'Bearer' },
        { 'x-authorization': `Bearer ${token}` },
      ]
      for (const given of headers) {
        assertRefused(await send(target, 'GET', `${path}?access_token=${token}`, given), 401, 'login')
      }
    },
  },
  {
    against: 'memory and time, for bodies of nobody',
    attack: 'Expect: 100-continue: no body is asked for that is refused without it, and the connection ends',
    run: async (target) => {
      const { owner, foreigner } = target
      const to = (line: string, length: number, ...more: string[]) =>
        [line, 'Host: x', 'Expect: 100-continue', `Content-Length: ${length}`, ...more, '', ''].join('\r\n')
      const kickOff = 'POST /r4/clinic/Patient/$export HTTP/1.1'
      const known = `Authorization: Bearer ${owner.token}`
      const json = 'Content-Type: application/fhir+json'
      for (const [bytes, status] of [
        [to(kickOff, 5), 401],
        [to(kickOff, 5, 'Authorization: Bearer x'), 401],
        [to(kickOff, 5, `Authorization: Bearer ${foreigner.token}`), 403],
        [to('POST /nowhere HTTP/1.1', 5), 404],
        [to('POST /r4/clinic/%zz HTTP/1.1', 5), 400],
        [to('PATCH /r4/clinic/metadata HTTP/1.1', 5), 405],
        [to('POST /admin/tenants HTTP/1.1', 5), 401],
        [to('POST /oauth2/clinic/token HTTP/1.1', 40_000), 413],
        [to(kickOff, 17 * 1024 * 1024, known, json), 413],
        [to(kickOff, 5, known, json, 'Content-Encoding: gzip'), 415],
        [to(kickOff, 5, known, json).replace('100-continue', 'a-miracle'), 417],
      ] as const) {
        const received = await rawExchange(target.suite.server.url, bytes)
        assert.deepEqual(rawStatuses(received), [status], `${bytes} ${received}`)
        assert.match(received, /^connection: close\r$/im)
      }
    },
  },
  {
    against: 'honest clients',
    attack: 'Expect: 100-continue of a known caller, or with a form: the body is asked for, and the connection kept',
    run: async ({ suite, owner }) => {
      const to = (line: string, body: string, ...more: string[]) =>
        [line, 'Host: x', 'Expect: 100-continue', `Content-Length: ${body.length}`, ...more, '', ''].join('\r\n')
      const connection = new RawConnection(suite.server.url)
      const json = 'Content-Type: application/fhir+json'
      const record = '{"resourceType":"Location","id":"expected"}'
      connection.send(
        to('PUT /r4/clinic/Location/expected HTTP/1.1', record, `Authorization: Bearer ${owner.token}`, json),
      )
      await connection.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/)
      connection.send(record)
      await connection.until(/HTTP\/1\.1 201 /)
      connection.send(
        to('POST /oauth2/clinic/token HTTP/1.1', 'x=1', 'Content-Type: application/x-www-form-urlencoded'),
      )
      await connection.until(/HTTP\/1\.1 201 [\s\S]*HTTP\/1\.1 100 /)
      connection.send('x=1')
      assert.deepEqual(rawStatuses(await connection.until(/HTTP\/1\.1 400 /)), [100, 201, 100, 400])
      connection.socket.destroy()
    },
  },
]

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { certificateOne, certificateTwo } from './certificates.ts'
import { TestServer } from './server.ts'

let server: TestServer
let directory: string
const path = (name: string) => join(directory, name)

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-network-'))
  await writeFile(path('tls.crt'), certificateOne.cert)
  await writeFile(path('tls.key'), certificateOne.key)
  server = await TestServer.start(['--tls-cert', path('tls.crt'), '--tls-key', path('tls.key')])
  await server.addTenant('clinic')
})
after(async () => {
  await server.stop()
  await rm(directory, { recursive: true })
})

interface Shown {
  readonly answer: IncomingMessage
  readonly body: string
}

/** Asks over a new connection, trusting only this certificate. */
async function get(url: string, ca: string, headers: Readonly<Record<string, string>> = {}): Promise<Shown> {
  const outgoing = request(url, { ca, agent: false, headers, servername: 'localhost' }).end()
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  return { answer, body: Buffer.concat(await answer.toArray()).toString() }
}

/** Waits for a line in the server's log. */
async function logged(text: string): Promise<void> {
  while (!server.log.includes(text)) await pause(20)
}

test('B1: the program speaks TLS, its URLs are https, and browsers are told to stay there', async () => {
  assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/)
  const { answer, body } = await get(`${server.base('clinic')}/.well-known/smart-configuration`, certificateOne.cert)
  assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000')
  assert.ok(JSON.parse(body).token_endpoint.startsWith(`${server.url}/oauth2/clinic/`))
})

test('URLs come from the public base, whatever Host and X-Forwarded-* say', async () => {
  const lies = {
    host: 'evil.example.org',
    'x-forwarded-host': 'evil.example.org',
    'x-forwarded-proto': 'http',
    forwarded: 'host=evil.example.org;proto=http',
  }
  for (const page of ['/.well-known/smart-configuration', '/metadata']) {
    const { answer, body } = await get(`${server.base('clinic')}${page}`, certificateOne.cert, lies)
    assert.equal(answer.statusCode, 200)
    assert.ok(body.includes(server.url))
    assert.doesNotMatch(body + JSON.stringify(answer.headers), /evil/)
  }
})

test('a certificate that is replaced is shown after SIGHUP, one that cannot be used is not', async () => {
  await writeFile(path('next.crt'), certificateTwo.cert)
  await rename(path('next.crt'), path('tls.crt'))
  server.signal('SIGHUP')
  await logged('new certificate cannot be used')
  assert.equal((await get(`${server.url}/livez`, certificateOne.cert)).answer.statusCode, 200)
  await writeFile(path('next.key'), certificateTwo.key)
  await rename(path('next.key'), path('tls.key'))
  server.signal('SIGHUP')
  await logged('certificate replaced')
  assert.equal((await get(`${server.url}/livez`, certificateTwo.cert)).answer.statusCode, 200)
  await assert.rejects(get(`${server.url}/livez`, certificateOne.cert))
})

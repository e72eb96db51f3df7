import assert from 'node:assert/strict'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { askForJson, outboundBytesMax } from './outbound.ts'
import { isPublicAddress } from './public-address.ts'

let server: Server
let port: number
let asked: string[]
let answer: (response: ServerResponse) => void

before(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
after(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  asked = []
})

const json = { 'content-type': 'application/json' }
const development = { privateAddresses: true }
const production = { privateAddresses: false }
const here = (path: string) => `http://127.0.0.1:${port}${path}`

for (const [text, expected] of [
  ['8.8.8.8', true],
  ['172.15.255.255', true],
  ['172.16.0.0', false],
  ['172.31.255.255', false],
  ['172.32.0.0', true],
  ['0.0.0.0', false],
  ['10.1.2.3', false],
  ['100.64.0.1', false],
  ['127.0.0.1', false],
  ['169.254.169.254', false],
  ['192.168.0.1', false],
  ['198.19.255.255', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['2606:4700::1111', true],
  ['::', false],
  ['::1', false],
  ['::ffff:8.8.8.8', false],
  ['::ffff:127.0.0.1', false],
  ['64:ff9b::7f00:1', false],
  ['fe80::1', false],
  ['fe80::1%lo', false],
  ['fc00::1', false],
  ['ff02::1', false],
  ['2001:db8::1', false],
  ['2001::1', false],
  ['2002:7f00:1::', false],
  ['localhost', false],
  ['', false],
] as const) {
  test(`B25: ${text || 'nothing'} is ${expected ? '' : 'not '}a public address`, () => {
    assert.equal(isPublicAddress(text), expected)
  })
}

for (const [what, url, said] of [
  ['plain http', () => here('/'), /^not https$/],
  ['a loopback address', () => `https://127.0.0.1:${port}/`, /private or special address/],
  ['a short form of it', () => `https://127.1:${port}/`, /private or special address/],
  ['a number that is it', () => `https://2130706433:${port}/`, /private or special address/],
  ['an IPv6 loopback address', () => `https://[::1]:${port}/`, /private or special address/],
  ['a mapped address', () => `https://[::ffff:127.0.0.1]:${port}/`, /private or special address/],
  ['the metadata service of clouds', () => 'https://169.254.169.254/latest/meta-data', /private or special address/],
  ['a name that resolves to loopback', () => `https://localhost:${port}/`, /private or special address/],
] as const) {
  test(`B25: ${what} is not asked`, async () => {
    answer = (response) => response.writeHead(200, json).end('{}')
    await assert.rejects(askForJson({ url: url() }, production), (error: Error) => said.test(error.message))
    assert.deepEqual(asked, [])
  })
}

test('B25: a redirect to loopback is not followed', async () => {
  answer = (response) => response.writeHead(302, { location: here('/inside') }).end()
  await assert.rejects(askForJson({ url: here('/') }, development), /status 302/)
  assert.deepEqual(asked, ['GET /'])
})

test('B25: an answer without end is broken off at the bound', async () => {
  let written = 0
  const ended = new Promise<void>((resolve) => {
    answer = (response) => {
      response.writeHead(200, json)
      const block = Buffer.alloc(64 * 1024, ' ')
      const pump = () => {
        while (!response.destroyed && response.write(block)) written += block.length
      }
      response.on('drain', pump).on('close', resolve)
      pump()
    }
  })
  await assert.rejects(askForJson({ url: here('/') }, development), /more than 262144 bytes/)
  await ended
  assert.ok(written < 64 * outboundBytesMax, `${written} bytes were taken`)
})

test('B25: 1 GB that is announced is not read at all', async () => {
  answer = (response) => response.writeHead(200, { ...json, 'content-length': String(2 ** 30) }).write('{')
  await assert.rejects(askForJson({ url: here('/') }, development), /more than 262144 bytes/)
})

for (const [what, hang] of [
  ['does not answer', () => {}],
  ['stops within its answer', (response) => response.writeHead(200, json).write('{')],
] as readonly (readonly [string, (response: ServerResponse) => void])[]) {
  test(`B25: a server that ${what} is given up`, async () => {
    answer = hang
    await assert.rejects(askForJson({ url: here('/') }, development), /no answer within 5 s/)
  })
}

test('a form is posted', async () => {
  answer = (response) => response.writeHead(200, { 'content-type': 'application/jwk-set+json' }).end('{"a":1}')
  const form = new URLSearchParams({ token: 'x' })
  assert.deepEqual((await askForJson({ url: here('/form'), form }, development)).document, { a: 1 })
  assert.deepEqual(asked, ['POST /form'])
})

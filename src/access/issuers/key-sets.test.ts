import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import type { JWK } from 'jose'
import { generateClientKey } from '../registry/client-key.ts'
import { freshMsOf } from './key-set-fetch.ts'
import { KeySets } from './key-sets.ts'
import { outboundBytesMax } from './outbound.ts'

let server: Server
let url: string
let old: JWK
let fresh: JWK
let asked: IncomingMessage[]
let answer: (response: ServerResponse) => void
let ms: number
let keySets: KeySets

before(async () => {
  old = (await generateClientKey('ES384')).publicKey
  fresh = (await generateClientKey('ES384')).publicKey
  server = createServer((request, response) => {
    asked.push(request)
    answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
})
after(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  asked = []
  ms = 1_000_000
  keySets = new KeySets(() => ms, { privateAddresses: true })
  answer = publish([old])
})

const publish =
  (keys: readonly unknown[], headers: Record<string, string> = { 'cache-control': 'max-age=600' }) =>
  (response: ServerResponse) =>
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ keys }))

const find = (key: JWK, jku?: string) => keySets.find({ kind: 'url', url }, { alg: 'ES384', kid: String(key.kid), jku })
const reason = (found: Awaited<ReturnType<typeof find>>) => ('reason' in found ? found.reason : 'found')

test('B12: keys are fetched as JSON, and kept as long as Cache-Control allows', async () => {
  assert.equal(reason(await find(old)), 'found')
  assert.equal(asked[0]?.headers.accept, 'application/json')
  ms += 599_999
  await find(old)
  assert.equal(asked.length, 1)
  ms += 1
  await find(old)
  assert.equal(asked.length, 2)
})

test('B12: no-store is fetched each time', async () => {
  answer = publish([old], { 'cache-control': 'no-store' })
  await find(old)
  await find(old)
  assert.equal(asked.length, 2)
})

test('simultaneous look-ups share one fetch', async () => {
  const found = await Promise.all([find(old), find(old), find(old)])
  assert.deepEqual(found.map(reason), ['found', 'found', 'found'])
  assert.equal(asked.length, 1)
})

test('B25: an unknown kid asks again at once, and then not for a minute', async () => {
  await find(old)
  answer = publish([fresh])
  assert.equal(reason(await find(fresh)), 'found')
  assert.equal(asked.length, 2)
  assert.equal(reason(await find(old)), 'no registered key has this kid and fits alg')
  assert.equal(asked.length, 2)
  ms += 60_000
  await find(old)
  assert.equal(asked.length, 3)
})

test('simultaneous look-ups of a new kid share one fetch too', async () => {
  await find(old)
  answer = publish([fresh])
  assert.deepEqual((await Promise.all([find(fresh), find(fresh)])).map(reason), ['found', 'found'])
  assert.equal(asked.length, 2)
})

test('B11: two keys with one kid are refused', async () => {
  answer = publish([old, { ...fresh, kid: old.kid }])
  assert.equal(reason(await find(old)), 'several registered keys have this kid')
})

test('B11: a key of another type under the same kid does not count', async () => {
  answer = publish([old, { ...(await generateClientKey('RS384')).publicKey, kid: old.kid }])
  assert.equal(reason(await find(old)), 'found')
})

test('B8: jku must be the registered URL', async () => {
  assert.equal(reason(await find(old, url)), 'found')
  for (const jku of [`${url}/`, 'https://evil.example/jwks']) assert.match(reason(await find(old, jku)), /^jku/)
  assert.equal(asked.length, 1)
})

test('a failed fetch is refused, not repeated at once, and tried again later', async () => {
  answer = (response) => response.writeHead(503).end()
  assert.match(reason(await find(old)), /could not be fetched: status 503/)
  answer = publish([old])
  assert.match(reason(await find(old)), /could not be fetched/)
  assert.equal(asked.length, 1)
  ms += 5_000
  assert.equal(reason(await find(old)), 'found')
})

test('stale keys are not used when the fetch fails', async () => {
  await find(old)
  ms += 600_000
  answer = (response) => response.writeHead(500).end()
  assert.match(reason(await find(old)), /could not be fetched/)
})

const json = { 'content-type': 'application/json' }
const bad: readonly (readonly [what: string, answer: (response: ServerResponse) => void, said: RegExp])[] = [
  ['a redirect', (response) => response.writeHead(302, { location: url }).end(), /status 302/],
  ['no JSON', (response) => response.writeHead(200, json).end('<html>'), /not JSON/],
  ['another type', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('{}'), /Content-Type/],
  ['no type', (response) => response.writeHead(200).end('{"keys":[]}'), /Content-Type/],
  ['a coding', (response) => response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(), /compressed/],
  ['JSON that is no key set', (response) => response.writeHead(200, json).end('[]'), /not a key set/],
  ['keys that are no objects', (response) => response.writeHead(200, json).end('{"keys":[null]}'), /not a key set/],
  ['too many bytes', (response) => response.writeHead(200, json).end(' '.repeat(outboundBytesMax + 1)), /more than/],
  ['a broken connection', (response) => response.destroy(), /ECONNRESET/],
]

for (const [what, broken, said] of bad) {
  test(`a key set URL that answers with ${what} authenticates nobody`, async () => {
    answer = broken
    const refusal = reason(await find(old))
    assert.match(refusal, /could not be fetched/)
    assert.match(refusal, said)
  })
}

for (const [what, key] of [
  ['a key that is off its curve', () => ({ ...old, x: 'AAAA' })],
  ['a private key', async () => (await generateClientKey('ES384')).privateKey],
] as const) {
  test(`${what} is not used`, async () => {
    const bare = await key()
    answer = publish([bare])
    assert.match(reason(await find(bare)), /the registered key (cannot be used|is not a public key)/)
  })
}

for (const e of ['AQ', 'Ag', 'AQAA']) {
  test(`an RSA key with the exponent ${e} is not used: anybody could sign for it`, async () => {
    const weak = { kty: 'RSA', kid: 'weak', e, n: Buffer.alloc(256, 0xab).toString('base64url') }
    answer = publish([weak])
    const found = await keySets.find({ kind: 'url', url }, { alg: 'RS384', kid: 'weak', jku: undefined })
    assert.match(reason(found), /the registered key cannot be used/)
  })
}

const fullSize = (text: string) => text.padEnd(outboundBytesMax)

test('B25: a key set of the greatest size is read', async () => {
  answer = (response) => response.writeHead(200, json).end(fullSize(JSON.stringify({ keys: [old] })))
  assert.equal(reason(await find(old)), 'found')
})

for (const [headers, expected] of [
  [{}, 60_000],
  [{ 'cache-control': 'public, max-age=120' }, 120_000],
  [{ 'cache-control': 'max-age=120', age: '100' }, 20_000],
  [{ 'cache-control': 'max-age=120', age: '200' }, 0],
  [{ 'cache-control': 'max-age=99999999' }, 3_600_000],
  [{ 'cache-control': 's-maxage=5, max-age=7' }, 7_000],
  [{ 'cache-control': 'no-cache, max-age=60' }, 0],
  [{ 'cache-control': 'max-age=soon' }, 60_000],
] as const) {
  test(`B12: ${JSON.stringify(headers)} keeps keys for ${expected} ms`, () => {
    assert.equal(freshMsOf(headers), expected)
  })
}

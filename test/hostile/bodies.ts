import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import type { Answer } from '../scenarios/exchange.ts'
import { requiredHeaders } from '../scenarios/kick-off.ts'
import { outcomeOf } from '../scenarios/outcome.ts'
import { type Attack, bearer, pathOf, send, type Target } from './target.ts'

const kickOff = (target: Target, body: string | Buffer, headers: object = {}): Promise<Answer> => {
  const all = { ...requiredHeaders, ...bearer(target.stranger), ...headers }
  return send(target, 'POST', '/r4/clinic/Patient/$export', all, body)
}

const nested = (levels: number, open: string, close: string) => open.repeat(levels) + close.repeat(levels)
const parameters = (more: string) => `{"resourceType":"Parameters",${more}}`
const patient = '{"name":"patient","valueReference":{"reference":"Patient/victim"}}'

const hostileBodies: Readonly<Record<string, string | Buffer>> = {
  'an array of 1,000,000 levels': nested(1_000_000, '[', ']'),
  'objects of 200,000 levels': nested(200_000, '{"a":', '}'),
  'levels inside a parameter': parameters(`"parameter":[{"name":"patient","part":${nested(100_000, '[', ']')}}]`),
  'a parameter with __proto__': parameters('"parameter":[{"__proto__":{"name":"patient"}}]'),
  'a member constructor.prototype': parameters('"constructor":{"prototype":{"admin":true}},"parameter":[]'),
  'parameters named __proto__ and constructor': parameters(
    `"parameter":[${patient},{"name":"__proto__","valueString":"x"},{"name":"constructor","valueString":"x"}]`,
  ),
  'a type __proto__': parameters(`"parameter":[${patient},{"name":"_type","valueString":"__proto__,constructor"}]`),
  'a member that stands twice': parameters(`"parameter":[],"parameter":[${patient}]`),
  'invalid UTF-8': Buffer.concat([
    Buffer.from('{"resourceType":"'),
    Buffer.from([0xff, 0xfe, 0xc0]),
    Buffer.from('"}'),
  ]),
  'a lonely surrogate as a patient': parameters(
    '"parameter":[{"name":"patient","valueReference":{"reference":"\\ud800"}}]',
  ),
  'a NUL in an id': parameters('"parameter":[{"name":"patient","valueReference":{"reference":"Patient/a\\u0000b"}}]'),
  'an id with a quote': parameters(
    `"parameter":[{"name":"patient","valueReference":{"reference":"Patient/' or 1=1--"}}]`,
  ),
  'a path as a patient': parameters(
    '"parameter":[{"name":"patient","valueReference":{"reference":"Patient/../../x"}}]',
  ),
  'a patient of another server': parameters(
    '"parameter":[{"name":"patient","valueReference":{"reference":"http://169.254.169.254/Patient/victim"}}]',
  ),
  'a string of 10 MB': parameters(`"id":"${'x'.repeat(10_000_000)}","parameter":[]`),
  'a number of 1,000,000 digits': parameters(`"parameter":${'9'.repeat(1_000_000)}`),
  '1,000,000 empty objects': `[${'{},'.repeat(1_000_000)}{}]`,
  '300,000 unknown parameters': parameters(`"parameter":[${'{"name":"x"},'.repeat(300_000)}{"name":"x"}]`),
  null: 'null',
  'nothing but blanks': ' '.repeat(1_000_000),
  'XML with an entity': '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Parameters>&e;</Parameters>',
}

/** These say something that may be said, in a way that could go wrong. */
const oddBodies: Readonly<Record<string, string>> = {
  'a member __proto__': parameters(`"__proto__":{"admin":true},"parameter":[${patient}]`),
  'a filter with backtracking in mind': parameters(
    `"parameter":[${patient},{"name":"_type","valueString":"Condition"},{"name":"_typeFilter","valueString":"Condition?code=${'\\\\|,'.repeat(30_000)}!"}]`,
  ),
}

/** JSON that is made to break its reader, and bodies that are more than they seem. */
export const bodyAttacks: readonly Attack[] = [
  ...Object.entries(hostileBodies).map(
    ([what, body]): Attack => ({
      against: 'the process and its memory',
      attack: `a kick-off with ${what}: a 4xx that says what is wrong, and no more than 101 issues`,
      run: async (target) => {
        const answer = await kickOff(target, body)
        assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status}`)
        assert.ok(outcomeOf(answer).length <= 101)
        assert.ok(answer.body.length < 200_000)
      },
    }),
  ),
  ...Object.entries(oddBodies).map(
    ([what, body]): Attack => ({
      against: 'the process and its memory',
      attack: `a kick-off with ${what}: accepted or refused, and the next one is read as ever`,
      run: async (target) => {
        const answer = await kickOff(target, body)
        assert.ok(answer.status === 202 || (answer.status >= 400 && answer.status < 500), `${answer.status}`)
        const job = answer.headers['content-location']
        if (job) assert.equal((await send(target, 'DELETE', pathOf(job), bearer(target.stranger))).status, 202)
        assert.equal((await kickOff(target, '{}')).status, 400)
      },
    }),
  ),
  ...['gzip', 'deflate', 'br', 'zstd', 'x-gzip', 'GZIP', 'gzip, gzip'].map(
    (coding): Attack => ({
      against: 'memory',
      attack: `a body that unpacks to 64 MB, Content-Encoding: ${coding}: 415, not unpacked`,
      run: async (target) => {
        const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
        const answer = await kickOff(target, bomb, { 'content-encoding': coding })
        assert.equal(answer.status, 415)
        outcomeOf(answer)
      },
    }),
  ),
  {
    against: 'memory',
    attack: 'Content-Encoding: identity is what it says',
    run: async (target) => {
      const headers = { 'content-encoding': 'identity' }
      assert.equal((await kickOff(target, '{', headers)).status, 400)
    },
  },
  {
    against: 'the token endpoint',
    attack: 'a compressed token request, and one of 32,769 bytes',
    run: async (target) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const path = '/oauth2/clinic/token'
      const packed = await send(target, 'POST', path, { ...headers, 'content-encoding': 'gzip' }, gzipSync('a'))
      assert.equal(packed.status, 415)
      assert.equal((await send(target, 'POST', path, headers, 'x'.repeat(32_768))).status, 400)
      assert.equal((await send(target, 'POST', path, headers, 'x'.repeat(32_769))).status, 413)
    },
  },
  {
    against: 'browsers',
    attack: 'a Binary that says it is a page: sent as a download, and nothing in it may run',
    run: async (target) => {
      const data = Buffer.from('<script>alert(1)</script>').toString('base64')
      const page = { resourceType: 'Binary', id: 'page', contentType: 'text/html', data }
      const headers = { ...bearer(target.stranger), 'content-type': 'application/fhir+json' }
      await send(target, 'PUT', '/r4/clinic/Binary/page', headers, JSON.stringify(page))
      const answer = await send(target, 'GET', '/r4/clinic/Binary/page', {
        ...bearer(target.stranger),
        accept: 'text/html',
      })
      assert.equal(answer.status, 200)
      assert.equal(answer.headers['content-disposition'], 'attachment')
      assert.match(String(answer.headers['content-security-policy']), /sandbox/)
    },
  },
  {
    against: 'headers of answers',
    attack: 'a Binary whose contentType has line ends',
    run: async (target) => {
      const page = { resourceType: 'Binary', id: 'crlf', contentType: 'text/html\r\nX-Injected: yes', data: 'AAAA' }
      const headers = { ...bearer(target.stranger), 'content-type': 'application/fhir+json' }
      await send(target, 'PUT', '/r4/clinic/Binary/crlf', headers, JSON.stringify(page))
      const answer = await send(target, 'GET', '/r4/clinic/Binary/crlf', { ...bearer(target.stranger), accept: '*/*' })
      assert.equal(answer.headers['x-injected'], undefined)
      assert.equal(answer.headers['content-type'], 'application/octet-stream')
      for (const space of ['\n', '\r\n', '\v', '\f', '\u2028', '\u00a0', '\u0000']) {
        const more = { ...page, contentType: `text/html${space};X-Injected: yes` }
        await send(target, 'PUT', '/r4/clinic/Binary/crlf', headers, JSON.stringify(more))
        const read = await send(target, 'GET', '/r4/clinic/Binary/crlf', { ...bearer(target.stranger), accept: '*/*' })
        assert.deepEqual([read.status, read.headers['content-type']], [200, 'application/octet-stream'], space)
        assert.equal(read.headers['x-injected'], undefined)
      }
    },
  },
]

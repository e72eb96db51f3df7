import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signContentLink, verifyContentLink } from './content-link.ts'

const secret = Buffer.alloc(32, 7)
const now = new Date('2026-01-01T00:00:00Z')
const after = (seconds: number) => new Date(now.getTime() + seconds * 1000)
const link = { path: '/content/t/f1', fileId: 'f1' }

function check(change: Partial<Parameters<typeof verifyContentLink>[0]> = {}, life = 300) {
  const url = new URL(signContentLink({ ...link, secret, expires: after(life) }), 'http://host')
  const { expires, signature } = Object.fromEntries(url.searchParams)
  return verifyContentLink({ ...link, secret, method: 'GET', expires, signature, now, ...change })
}

test('a link opens its file for GET and HEAD until it expires', () => {
  assert.equal(check(), 'valid')
  assert.equal(check({ method: 'HEAD' }), 'valid')
  assert.equal(check({ now: after(299) }), 'valid')
  assert.equal(check({ now: after(300) }), 'expired')
})

const forgeries: readonly (readonly [what: string, change: Parameters<typeof check>[0]])[] = [
  ['another method', { method: 'DELETE' }],
  ['another path', { path: '/content/other/f1' }],
  ['another file', { fileId: 'f2' }],
  ['a later expiry', { expires: String(after(301).getTime() / 1000) }],
  ['an expiry that is no number', { expires: '1e9' }],
  ['a repeated expiry', { expires: ['1', '2'] }],
  ['no signature', { signature: undefined }],
  ['an empty signature', { signature: '' }],
  ['a signature with other bytes of the same length', { signature: `${'é'.repeat(21)}a` }],
  ['another secret', { secret: Buffer.alloc(32, 8) }],
]

for (const [what, change] of forgeries) {
  test(`a link is refused for ${what}`, () => assert.equal(check(change), 'forged'))
}

test('a link that lives longer than 300 s is refused', () => assert.equal(check({}, 400), 'forged'))

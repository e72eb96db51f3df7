import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { decodeProtectedHeader } from 'jose'
import type { Pool } from 'pg'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { signAccessToken, verifyAccessToken } from './access-token.ts'
import { loadSigningKeys } from './signing-key.ts'
import { listSigningKeys, removeSigningKey, rotateSigningKey } from './signing-key-rotation.ts'

let store: TestStore
let pool: Pool

before(async () => {
  store = await openTestStore()
  pool = store.pool
})
beforeEach(async () => {
  await pool.query('delete from signing_key')
  await loadSigningKeys(pool)
})
after(() => store.close())

/** Long enough that no machine stands still for it. */
const afterSeconds = 120
const es256 = { algorithm: 'ES256', afterSeconds } as const
const publicUrl = 'https://millrace.example'
const now = new Date('2026-03-01T12:00:00Z')

const sign = async () => {
  const holder = { tenant: 'clinic', client: 'app', scopes: ['system/*.read'] }
  return signAccessToken(holder, { keys: await loadSigningKeys(pool), publicUrl, now, tokenSeconds: 300 })
}
const verify = async (token: string) => {
  const held = await verifyAccessToken(token, { keys: await loadSigningKeys(pool), publicUrl, now })
  return typeof held === 'string' ? held : held.client
}
/** Lets time pass: everything that was, was longer ago. */
const pass = (seconds: number) =>
  pool.query('update signing_key set signs_from = signs_from - make_interval(secs => $1)', [seconds])
const states = async () => (await listSigningKeys(pool)).map(({ algorithm, state }) => `${algorithm} ${state}`)

test('a new key is published before it signs; the old one verifies until its last token has expired', async () => {
  const old = await sign()
  await rotateSigningKey(pool, es256)
  assert.deepEqual(await states(), ['ES384 signing', 'ES256 next'])
  assert.deepEqual(
    (await loadSigningKeys(pool)).published.map(({ alg }) => alg),
    ['ES384', 'ES256'],
  )
  assert.equal(decodeProtectedHeader(await sign()).alg, 'ES384')
  await pass(afterSeconds)
  assert.deepEqual(await states(), ['ES384 retired', 'ES256 signing'])
  const fresh = await sign()
  assert.equal(decodeProtectedHeader(fresh).alg, 'ES256')
  assert.deepEqual([await verify(old), await verify(fresh)], ['app', 'app'])
  await pass(600)
  assert.deepEqual(await states(), ['ES384 retired', 'ES256 signing'])
  assert.equal(await verify(old), 'app')
  await pass(60)
  assert.deepEqual(await states(), ['ES384 expired', 'ES256 signing'])
  assert.deepEqual([await verify(old), await verify(fresh)], ['invalid', 'app'])
  assert.equal((await loadSigningKeys(pool)).published.length, 1)
})

test('rotation tidies up what has expired, and waits for a key that waits', async () => {
  await rotateSigningKey(pool, es256)
  await assert.rejects(rotateSigningKey(pool, es256), /is waiting to sign/)
  await pass(1_000)
  await rotateSigningKey(pool, { algorithm: 'ES384', afterSeconds })
  assert.deepEqual(await states(), ['ES256 signing', 'ES384 next'])
})

test('of simultaneous rotations one makes a key', async () => {
  const results = await Promise.allSettled([1, 2, 3, 4].map(() => rotateSigningKey(pool, es256)))
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.equal((await listSigningKeys(pool)).length, 2)
})

test('a key that signs cannot be removed, one that waits can, a retired one only by force', async () => {
  const [first] = await listSigningKeys(pool)
  await assert.rejects(removeSigningKey(pool, first!.kid, true), /signs the tokens/)
  const waiting = await rotateSigningKey(pool, es256)
  await removeSigningKey(pool, waiting.kid, false)
  assert.deepEqual(await states(), ['ES384 signing'])
  const old = await sign()
  await rotateSigningKey(pool, es256)
  await pass(afterSeconds)
  await assert.rejects(removeSigningKey(pool, first!.kid, false), /live until/)
  await removeSigningKey(pool, first!.kid, true)
  assert.equal(await verify(old), 'invalid')
  assert.deepEqual(await states(), ['ES384 removed', 'ES256 signing'])
  const { rows } = await pool.query('select private_jwk from signing_key order by number')
  assert.equal(rows[0].private_jwk, null)
  await assert.rejects(removeSigningKey(pool, 'nothing', true), /no key "nothing"/)
})

test('removing a key does not prolong the life of the one before it', async () => {
  const oldest = await sign()
  await rotateSigningKey(pool, es256)
  await pass(afterSeconds + 590)
  const middle = (await listSigningKeys(pool))[1]!
  await rotateSigningKey(pool, es256)
  await pass(afterSeconds)
  assert.equal(await verify(oldest), 'invalid')
  await removeSigningKey(pool, middle.kid, true)
  assert.equal(await verify(oldest), 'invalid')
})

test('the first key signs from the beginning, also for a statement that began before it was made', async () => {
  await pool.query(`update signing_key set signs_from = now() + interval '1 s'`)
  assert.equal(await verify(await sign()), 'app')
})

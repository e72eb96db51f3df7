import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from 'pg'
import { openTestStore } from '../../database/store.fixture.ts'
import { isOutage } from '../../http/database-outage.ts'
import { Overtaken } from '../current.ts'
import { type Attempt, Contended, inAttempts, MustBeAlone } from './attempts.ts'

/** A pool of one connection that does nothing: what an attempt finds is up to the test. A database cannot be made to lose ten races. */
const pool = { connect: async () => ({ query: async () => {}, release: () => {} }) } as unknown as Pool
const first: Attempt = { alone: false, looks: 'named' }

test('a write that meets others in every attempt ends after ten, and says that nothing was written', async () => {
  for (const error of [new Overtaken(), Object.assign(new Error(), { code: '40P01' })]) {
    let attempts = 0
    const write = inAttempts(pool, first, false, async () => {
      attempts++
      throw error
    })
    await assert.rejects(write, (thrown) => thrown instanceof Contended && thrown.cause === error)
    assert.equal(attempts, 10)
  }
})

test('a write that meets another one once looks, and is done', async () => {
  const looked: Attempt['looks'][] = []
  const result = await inAttempts(pool, { alone: false, looks: 'none' }, false, async (_client, { looks }) => {
    looked.push(looks)
    if (looked.length === 1) throw new Overtaken()
    return 'done'
  })
  assert.deepEqual([result, looked], ['done', ['none', 'all']])
})

test('other errors end a write at once; who is patient waits again for a lock', async () => {
  const late = Object.assign(new Error('late'), { code: '55P03' })
  let attempts = 0
  const write = (patient: boolean) =>
    inAttempts(pool, first, patient, async () => {
      attempts++
      throw late
    })
  await assert.rejects(write(false), late)
  assert.equal(attempts, 1)
  await assert.rejects(write(true), late)
  assert.equal(attempts, 11)
})

test('a write that would be attempted again, but has lost its connection, fails by that', async (t) => {
  const store = await openTestStore()
  t.after(() => store.close())
  for (const error of [new MustBeAlone(), new Overtaken(), Object.assign(new Error(), { code: '40P01' })]) {
    const write = inAttempts(store.pool, first, false, async (client) => {
      await client.query('begin')
      await client.query('select pg_terminate_backend(pg_backend_pid())').catch(() => {})
      throw error
    })
    await assert.rejects(write, (thrown) => thrown !== error && isOutage(thrown))
  }
})

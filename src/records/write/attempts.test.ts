import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Pool } from 'pg'
import { openPool } from '../../database/pool.ts'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { inAttempts } from './attempts.ts'

const lockSql = 'select pg_advisory_xact_lock(1)'
const first = { alone: false, looks: false }
const late = { code: '55P03' }

describe('a write that waits for a lock for longer than its session may', () => {
  let store: TestStore
  let pool: Pool

  before(async () => {
    store = await openTestStore()
    pool = openPool({ ...store.connection, options: '-c lock_timeout=20' }, 1)
  })

  after(async () => {
    await pool.end()
    await store.close()
  })

  /** Attempts to take a lock that somebody else has, who lets go of it before the given attempt. */
  async function attempts(patient: boolean, freeBefore: number): Promise<number> {
    const holder = await store.pool.connect()
    let count = 0
    try {
      await holder.query(`begin; ${lockSql}`)
      await inAttempts(pool, first, patient, async (client) => {
        count += 1
        if (count === freeBefore) await holder.query('rollback')
        await client.query('begin')
        await client.query(lockSql)
        await client.query('commit')
      }).catch((error) => assert.deepEqual({ code: error.code }, late))
    } finally {
      await holder.query('rollback')
      holder.release()
    }
    return count
  }

  it('begins again if nobody waits for it', async () => {
    assert.equal(await attempts(true, 3), 3)
  })

  it('fails after some attempts', async () => {
    assert.equal(await attempts(true, Number.POSITIVE_INFINITY), 10)
  })

  it('fails at once if somebody waits for its answer', async () => {
    assert.equal(await attempts(false, 2), 1)
  })
})

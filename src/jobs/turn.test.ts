import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import fc from 'fast-check'
import type { Pool } from 'pg'
import { openTestStore } from '../database/store.fixture.ts'
import { claimPlanning, releasePlanning } from './job.ts'
import { claimPartition, releasePartition } from './partition.ts'
import { nextTurn } from './turn.ts'

let pool: Pool
let close: () => Promise<void>

before(async () => {
  ;({ pool, close } = await openTestStore())
})
beforeEach(() => pool.query('delete from job'))
after(() => close())

const worker = 7
let clients = 0

/** A running job with so many waiting partitions; without any it waits for its plan. */
async function job(tenant: string, partitions: number, client = `c${clients++}`): Promise<string> {
  const id = randomUUID()
  await pool.query(
    `insert into job (id, tenant, client, state, request, url, transaction_time, created)
     values ($1, $2, $3, $4, '{}', '', now(), clock_timestamp())`,
    [id, tenant, client, partitions === 0 ? 'accepted' : 'running'],
  )
  for (let number = 0; number < partitions; number++) {
    await pool.query(
      `insert into partition (job, number, kind, owners_packed, state, planned) values ($1, $2, 'owners', '\\x00', 'waiting', 1)`,
      [id, number],
    )
  }
  return id
}

/** Takes what is next, as a worker does. */
async function take(onlyIdle = false): Promise<{ job: string; number?: number } | undefined> {
  const next = (await nextTurn(pool, onlyIdle))?.task
  if (next?.kind === 'plan') assert.ok(await claimPlanning(pool, next.job, worker))
  if (next?.kind === 'partition') assert.ok(await claimPartition(pool, next.job, next.number, worker))
  return next
}

const end = (id: string, number: number) =>
  pool.query(`update partition set state = 'done' where job = $1 and number = $2`, [id, number])

test('a small export comes next, however many partitions of others wait', async () => {
  const large = [await job('big', 50), await job('big', 50), await job('big', 50)]
  assert.deepEqual(await take(), { kind: 'partition', job: large[0], number: 0 })
  assert.deepEqual(await take(), { kind: 'partition', job: large[1], number: 0 })
  const small = await job('small', 1)
  assert.deepEqual(await take(), { kind: 'partition', job: small, number: 0 })
  assert.deepEqual(await take(), { kind: 'partition', job: large[2], number: 0 })
})

test('one worker serves tenants in turn, and the clients of a tenant in turn', async () => {
  const names = new Map([
    [await job('a', 3), 'a1'],
    [await job('a', 3), 'a2'],
    [await job('b', 3), 'b1'],
  ])
  const served: string[] = []
  for (;;) {
    const taken = await take()
    if (taken === undefined) break
    served.push(names.get(taken.job)!)
    await end(taken.job, taken.number!)
  }
  assert.deepEqual(served, ['a1', 'b1', 'a2', 'b1', 'a1', 'b1', 'a2', 'a1', 'a2'])
})

test('a plan is work like a partition', async () => {
  const running = await job('a', 1)
  const planned = await job('b', 0)
  assert.deepEqual(await take(), { kind: 'partition', job: running, number: 0 })
  assert.deepEqual(await take(), { kind: 'plan', job: planned })
  assert.equal(await take(), undefined)
})

test('a spare slot takes nothing of a tenant of whom something is at work', async () => {
  const first = await job('a', 2)
  await take()
  const planned = await job('a', 0)
  assert.equal(await take(true), undefined)
  const other = await job('b', 1)
  assert.deepEqual(await take(true), { kind: 'partition', job: other, number: 0 })
  assert.equal(await take(true), undefined)
  await end(first, 0)
  assert.deepEqual(await take(true), { kind: 'plan', job: planned })
  assert.equal(await take(true), undefined, 'its tenant plans')
})

test('what failed comes again when its time has come, and is part of the turns', async () => {
  const id = await job('a', 1)
  const taken = await take()
  assert.deepEqual(taken, { kind: 'partition', job: id, number: 0 })
  const held = { job: id, number: 0, kind: 'owners', owners: [], attempt: 1, tries: 1, again: false } as const
  assert.ok(await releasePartition(pool, held, 20))
  const planned = await job('a', 0)
  assert.ok(await claimPlanning(pool, planned, worker))
  assert.ok(await releasePlanning(pool, planned, worker, 20))
  assert.equal(await take(), undefined)
  await pool.query(`update partition set due = now() - interval '1 second'`)
  await pool.query(`update job set plan_due = now() - interval '1 second' where plan_due is not null`)
  assert.deepEqual(await take(), { kind: 'plan', job: planned })
  assert.deepEqual(await take(), { kind: 'partition', job: id, number: 0 })
})

test('what was put off before the clock of the database went back does not wait for it', async () => {
  const id = await job('a', 1)
  await pool.query(`update partition set due = now() + interval '5 minutes'`)
  assert.deepEqual(await take(), { kind: 'partition', job: id, number: 0 })
})

test('the plan of one tenant does not come before the partition of another that has nothing at work', async () => {
  const busy = await job('a', 2)
  await take()
  await job('a', 0)
  const other = await job('b', 1)
  assert.deepEqual(await take(), { kind: 'partition', job: other, number: 0 })
  assert.equal((await take())?.job === busy, false, 'of one tenant, clients without work come first')
})

test('however much each has, tenants with work get shares that differ by one at most (property)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }), {
        minLength: 2,
        maxLength: 4,
      }),
      fc.integer({ min: 1, max: 3 }),
      async (tenants, slots) => {
        await pool.query('delete from job')
        const tenantOf = new Map<string, number>()
        for (const [tenant, jobs] of tenants.entries()) {
          for (const partitions of jobs) tenantOf.set(await job(`t${tenant}`, partitions), tenant)
        }
        const left = tenants.map((jobs) => jobs.reduce((sum, partitions) => sum + partitions, 0))
        const served = tenants.map(() => 0)
        const busy: { job: string; number: number }[] = []
        while (left.some((count) => count > 0)) {
          if (busy.length === slots) {
            const { job: id, number } = busy.shift()!
            await end(id, number)
          }
          const taken = await take()
          assert.ok(taken, 'work is left, and nobody gets it')
          busy.push({ job: taken.job, number: taken.number! })
          const tenant = tenantOf.get(taken.job)!
          served[tenant]!++
          left[tenant]!--
          const waiting = served.filter((_, index) => left[index]! > 0)
          if (waiting.length > 0) assert.ok(served[tenant]! - Math.min(...waiting) <= 1, `${served} with ${left} left`)
        }
      },
    ),
    { numRuns: 25 },
  )
})

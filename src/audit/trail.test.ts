import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import type { Pool } from 'pg'
import type { Queryable } from '../database/queryable.ts'
import { openTestStore, type TestStore } from '../database/store.fixture.ts'
import { transaction } from '../database/transaction.ts'
import { type ChainHead, verifyChains } from './chain.ts'
import type { AuditEntry } from './entry.ts'
import { gapsMax } from './gaps.ts'
import { keptOfStrangers } from './kept-refusals.ts'
import { AuditTrail, appendAudit, notesMax } from './trail.ts'

let store: TestStore
let pool: Pool

before(async () => {
  store = await openTestStore()
  pool = store.pool
})
after(() => store.close())

const unexpected = (error: unknown): never => assert.fail(String(error))

/** A tenant that no other test knows. */
const newTenant = (): string => `t-${randomUUID()}`
const entryOf = (tenant: string, change: Partial<AuditEntry> = {}): AuditEntry => ({
  tenant,
  kind: 'token',
  outcome: 'success',
  agent: { kind: 'client', id: 'c' },
  ...change,
})
const verify = (expected: readonly ChainHead[] = []) => verifyChains(pool, expected, () => {})
/** The faults of one tenant, as `number reason`. */
const faultsOf = async (tenant: string, expected: readonly ChainHead[] = []): Promise<string[]> =>
  (await verify(expected)).faults
    .filter((fault) => fault.tenant === tenant)
    .map(({ number, reason }) => `${number ?? 'end'} ${reason}`)
const headOf = async (tenant: string): Promise<ChainHead> =>
  (await verify()).chains.find((chain) => chain.tenant === tenant)!
const stored = async (tenant: string): Promise<Omit<AuditEntry, 'tenant'>[]> =>
  (await pool.query('select entry from audit_entry where tenant = $1 order by number', [tenant])).rows.map(
    ({ entry }) => JSON.parse(entry),
  )

/** Does something to the tables that the triggers would refuse, as an administrator of the database can. */
const tamper = (sql: string, values: unknown[]) =>
  transaction(pool, async (client) => {
    await client.query('set local session_replication_role = replica')
    await client.query(sql, values)
  })

async function chainOf(entries: number): Promise<string> {
  const tenant = newTenant()
  await appendAudit(pool, ...Array.from({ length: entries }, (_, at) => entryOf(tenant, { detail: { at } })))
  return tenant
}

describe('the chain', () => {
  it('holds what was appended, in order, and verifies', async () => {
    const tenant = newTenant()
    const entries = [
      entryOf(tenant, {
        subjects: ['Job/1'],
        patients: ['a', 'b'],
        reason: 'Ünïcode "quoted"\n',
        detail: { n: 1, b: true },
      }),
      entryOf(tenant, { outcome: 'refused', address: '::1', request: 'r' }),
    ]
    for (const entry of entries) await appendAudit(pool, entry)
    assert.deepEqual(
      (await stored(tenant)).map((entry) => ({ tenant, ...entry })),
      entries,
    )
    assert.deepEqual(await faultsOf(tenant), [])
    assert.equal((await headOf(tenant)).entries, 2)
  })

  it('is appended with the transaction that it belongs to, or not at all', async () => {
    const tenant = await chainOf(1)
    const undone = transaction(pool, async (client) => {
      await appendAudit(client, entryOf(tenant))
      throw new Error('undone')
    })
    await assert.rejects(undone, /undone/)
    await appendAudit(pool, entryOf(tenant))
    assert.equal((await headOf(tenant)).entries, 2)
    assert.deepEqual(await faultsOf(tenant), [])
  })

  it('keeps any text that a caller can cause, and a bad one harms no other', async () => {
    const tenant = newTenant()
    await appendAudit(pool, entryOf(tenant, { reason: 'nul \0 and half \ud800' }), entryOf(tenant))
    assert.equal((await stored(tenant))[0]?.reason, 'nul \ufffd and half \ufffd')
    const anyText = fc.string({ unit: 'binary' })
    const property = fc.asyncProperty(anyText, async (reason) => {
      await appendAudit(pool, entryOf(tenant, { reason }))
      assert.equal((await stored(tenant)).at(-1)?.reason, reason.toWellFormed().replaceAll('\0', '\ufffd'))
    })
    await fc.assert(property, { numRuns: 50 })
    assert.deepEqual(await faultsOf(tenant), [])
  })

  for (const statement of [
    `update audit_entry set entry = '{}'`,
    'delete from audit_entry',
    'truncate audit_entry',
    'delete from audit_head',
    'truncate audit_head',
    'update audit_head set number = number - 1',
    'update audit_head set number = number',
  ]) {
    it(`the database refuses: ${statement}`, async () => {
      await chainOf(2)
      await assert.rejects(pool.query(statement), /append-only/)
    })
  }

  const tampering: readonly (readonly [what: string, sql: string, fault: RegExp])[] = [
    ['a changed entry', `update audit_entry set entry = '{}' where tenant = $1 and number = 3`, /^3 was changed/],
    [
      'a changed time',
      `update audit_entry set recorded = recorded + interval '1 microsecond' where tenant = $1 and number = 3`,
      /^3 was changed/,
    ],
    [
      'a changed hash',
      `update audit_entry set hash = sha256('x') where tenant = $1 and number = 3`,
      /^3 was changed.*\n4 was changed/,
    ],
    ['a removed entry', 'delete from audit_entry where tenant = $1 and number = 3', /^4 follows entry 2/],
    ['a removed first entry', 'delete from audit_entry where tenant = $1 and number = 1', /^2 follows entry 0/],
    [
      'a removed last entry',
      'delete from audit_entry where tenant = $1 and number = 5',
      /^end ends at entry 4, but its head is at 5/,
    ],
    ['a removed chain', 'delete from audit_entry where tenant = $1', /^end ends at entry 0, but its head is at 5/],
    ['a removed head', 'delete from audit_head where tenant = $1', /^end ends at entry 5, but its head is missing/],
    [
      'an entry put in at the end',
      `insert into audit_entry select tenant, 6, recorded, entry, hash from audit_entry where tenant = $1 and number = 5`,
      /^6 was changed/,
    ],
    [
      'an entry put in at the beginning',
      `insert into audit_entry select tenant, 0, recorded, entry, hash from audit_entry where tenant = $1 and number = 5`,
      /^0 follows entry 0/,
    ],
    [
      'two exchanged entries',
      `update audit_entry a set entry = b.entry, recorded = b.recorded from audit_entry b where a.tenant = $1 and b.tenant = $1 and a.number in (2, 3) and b.number = 5 - a.number`,
      /^2 was changed.*\n3 was changed/,
    ],
    [
      'an entry moved on with all that follow',
      'update audit_entry set number = number + 1000 where tenant = $1 and number > 2',
      /^1003 follows entry 2/,
    ],
    [
      'a time that is none',
      "update audit_entry set recorded = 'infinity' where tenant = $1 and number = 3",
      /^3 was changed: the time/,
    ],
    [
      'a time before all times',
      "update audit_entry set recorded = '-infinity' where tenant = $1 and number = 3",
      /^3 was changed: the time/,
    ],
  ]
  for (const [what, sql, fault] of tampering) {
    it(`verification finds ${what}`, async () => {
      const tenant = await chainOf(5)
      assert.deepEqual(await faultsOf(tenant), [])
      await tamper(sql, [tenant])
      assert.match((await faultsOf(tenant)).join('\n'), fault)
    })
  }

  it('a chain that is removed with its head shows, as long as its tenant is there', async () => {
    const tenant = await chainOf(5)
    await pool.query('insert into tenant (id, profile) values ($1, $2)', [tenant, 'hl7'])
    assert.deepEqual(await faultsOf(tenant), [])
    for (const table of ['audit_entry', 'audit_head']) await tamper(`delete from ${table} where tenant = $1`, [tenant])
    assert.deepEqual(await faultsOf(tenant), ['end has no entry, although the tenant is there: adding it was one'])
    await pool.query('delete from tenant where id = $1', [tenant])
  })

  it('times that go back are told, and are no fault: the clock may have been set back', async () => {
    const tenant = await chainOf(1)
    const before = (await verify()).timesBack
    const earlier = "clock_timestamp() - interval '1 hour'"
    await tamper(
      `with moment as materialized (select ${earlier} as at), head as (select hash from audit_head where tenant = $1),
         put as (insert into audit_entry select $1, 2, at, '{}', audit_hash(head.hash, $1, 2, at, '{}') from head, moment returning hash)
       update audit_head set number = 2, hash = put.hash from put where tenant = $1`,
      [tenant],
    )
    assert.deepEqual(await faultsOf(tenant), [])
    assert.equal((await verify()).timesBack, before + 1)
  })

  it('entries taken from the end together with the head show only against an earlier head', async () => {
    const tenant = await chainOf(5)
    const earlier = await headOf(tenant)
    await appendAudit(pool, entryOf(tenant))
    assert.deepEqual(await faultsOf(tenant, [earlier]), [])
    await tamper('delete from audit_entry where tenant = $1 and number > 3', [tenant])
    await tamper(
      'update audit_head set number = 3, hash = (select hash from audit_entry where tenant = $1 and number = 3) where tenant = $1',
      [tenant],
    )
    assert.deepEqual(await faultsOf(tenant), [])
    assert.deepEqual(await faultsOf(tenant, [earlier]), ['end ends at entry 3, but had 5 entries before'])
    await appendAudit(pool, entryOf(tenant), entryOf(tenant))
    assert.deepEqual(await faultsOf(tenant, [earlier]), ['5 is not the expected one'])
    await tamper('delete from audit_entry where tenant = $1', [tenant])
    await tamper('delete from audit_head where tenant = $1', [tenant])
    assert.deepEqual(await faultsOf(tenant, [earlier]), ['end ends at entry 0, but had 5 entries before'])
  })

  it('a chain of more than a page verifies, and a fault behind the page is found', async () => {
    const tenant = await chainOf(2_500)
    assert.deepEqual(await faultsOf(tenant), [])
    await tamper('delete from audit_entry where tenant = $1 and number = 2100', [tenant])
    assert.deepEqual(await faultsOf(tenant), ['2101 follows entry 2099: entries were removed or put in'])
  })
})

describe('many writers', () => {
  it('chains without a gap, whoever writes to whichever chains, and whatever is undone', async () => {
    const tenants = [newTenant(), newTenant(), newTenant()]
    const step = fc.record({ chain: fc.nat(2), count: fc.integer({ min: 1, max: 4 }), undone: fc.boolean() })
    const program = fc.array(fc.array(step, { maxLength: 6 }), { minLength: 2, maxLength: 8 })
    const counts = [0, 0, 0]
    const property = fc.asyncProperty(program, async (writers) => {
      await Promise.all(
        writers.map(async (steps) => {
          for (const { chain, count, undone } of steps) {
            const entries = Array.from({ length: count }, () => entryOf(tenants[chain]!))
            const done = transaction(pool, async (client) => {
              await appendAudit(client, ...entries)
              if (undone) throw new Error('undone')
            })
            await done.catch((error) => assert.equal(error.message, 'undone'))
            if (!undone) counts[chain]! += count
          }
        }),
      )
    })
    await fc.assert(property, { numRuns: 25 })
    for (const [index, tenant] of tenants.entries()) {
      assert.deepEqual(await faultsOf(tenant), [])
      if (counts[index]! > 0) assert.equal((await headOf(tenant)).entries, counts[index])
    }
  })

  it('batches of several trails that name the same chains do not wait for each other', async () => {
    const tenants = [newTenant(), newTenant()]
    const trails = Array.from({ length: 4 }, () => new AuditTrail(pool, unexpected))
    await Promise.all(
      trails.flatMap((trail, at) =>
        Array.from({ length: 100 }, (_, turn) => trail.record(entryOf(tenants[(at + turn) % 2]!))),
      ),
    )
    for (const tenant of tenants) {
      assert.equal((await headOf(tenant)).entries, 200)
      assert.deepEqual(await faultsOf(tenant), [])
    }
  })
})

describe('the trail of a server', () => {
  /** The pool, which counts statements, and fails while it is told to. */
  function watched() {
    const state = { statements: 0, broken: false }
    const query = (...given: Parameters<Pool['query']>) => {
      state.statements++
      return state.broken ? Promise.reject(new Error('no database')) : pool.query(...given)
    }
    return { state, database: { query } as unknown as Queryable }
  }

  const refusalOf = (tenant: string, client: string) =>
    entryOf(tenant, { outcome: 'refused', agent: { kind: 'client', id: client } })

  /** What strangers of one network are refused for one reason. */
  const strange = (tenant: string, reason: string) =>
    entryOf(tenant, { kind: 'access', outcome: 'refused', agent: { kind: 'stranger' }, reason })

  it('keeps the first few refusals of a kind whole, and counts the rest by network and reason', async () => {
    const [tenant, other] = [newTenant(), newTenant()]
    const trail = new AuditTrail(pool, unexpected)
    for (let at = 0; at < 10_000; at++) trail.note(strange(tenant, 'login'), '192.0.2.1')
    trail.note(strange(tenant, 'expired'), '192.0.2.1')
    trail.note(strange(tenant, 'login'), '192.0.2.2')
    trail.note(strange(other, 'login'), '192.0.2.1')
    await trail.close()
    const entries = await stored(tenant)
    const { ofKindMax } = keptOfStrangers
    assert.equal(entries.length, ofKindMax + 3)
    assert.deepEqual(entries.at(-1)?.detail, {
      entries: 10_000 - ofKindMax,
      network: '192.0.2.1',
      of: 'access',
      reason: 'login',
    })
    assert.equal((await stored(other)).length, 1, 'another chain is not buried with it')
  })

  it('grows by no more than its bounds, from however many networks, and keeps what clients are refused', async () => {
    const tenant = newTenant()
    const trail = new AuditTrail(pool, unexpected)
    for (let at = 0; at < 20_000; at++) trail.note(strange(tenant, `r${at % 7}`), `192.0.2.${at % 5_000}`)
    trail.note(refusalOf(tenant, 'known'))
    await trail.close()
    const entries = await stored(tenant)
    const gaps = entries.filter(({ kind }) => kind === 'gap')
    assert.equal(entries.length - gaps.length, keptOfStrangers.ofAllMax + 1)
    assert.ok(gaps.length <= gapsMax + 1)
    const counted = gaps.reduce((sum, { detail }) => sum + Number(detail?.entries), 0)
    assert.equal(counted, 20_000 - keptOfStrangers.ofAllMax, 'none is lost')
    assert.ok(entries.some(({ agent }) => agent.kind === 'client'))
  })

  it('keeps a few again when the time of a count is over', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let written = 0
    const query = async (_sql: string, [, texts]: [string[], string[]]) => {
      written += texts.filter((text) => !text.includes('"gap"')).length
    }
    const trail = new AuditTrail({ query } as unknown as Queryable, unexpected)
    for (let interval = 1; interval <= 3; interval++) {
      for (let at = 0; at < 100; at++) trail.note(strange('t', 'login'), '192.0.2.1')
      t.mock.timers.tick(60_000)
      await new Promise(setImmediate)
      assert.equal(written, interval * keptOfStrangers.ofKindMax)
    }
  })

  it('writes what comes together in one statement, and answers when it is there', async () => {
    const tenant = newTenant()
    const { state, database } = watched()
    const trail = new AuditTrail(database, unexpected)
    await Promise.all(Array.from({ length: 50 }, (_, at) => trail.record(entryOf(tenant, { detail: { at } }))))
    assert.equal(state.statements, 1)
    assert.deepEqual(
      (await stored(tenant)).map(({ detail }) => detail?.at),
      Array.from({ length: 50 }, (_, at) => at),
    )
  })

  it('tells those who wait that the database does not take entries', async () => {
    const { state, database } = watched()
    state.broken = true
    await assert.rejects(new AuditTrail(database, unexpected).record(entryOf(newTenant())), /no database/)
  })

  it('keeps refusals until the database is back, and counts those above its bound', async () => {
    const tenant = newTenant()
    const { state, database } = watched()
    const faults: unknown[] = []
    const trail = new AuditTrail(database, (error) => faults.push(error))
    state.broken = true
    for (let at = 0; at < notesMax + 2; at++) trail.note(refusalOf(tenant, `c${at}`))
    await assert.rejects(trail.record(entryOf(tenant)))
    state.broken = false
    await trail.close()
    assert.ok(faults.length > 0)
    const entries = await stored(tenant)
    assert.equal(entries.length, notesMax + 1)
    assert.deepEqual([entries.at(-1)?.kind, entries.at(-1)?.detail], ['gap', { entries: 2 }])
    assert.deepEqual(await faultsOf(tenant), [])
  })

  it('counts refusals of those who ask too often, in one entry for each client and one for the others', async () => {
    const tenant = newTenant()
    const { state, database } = watched()
    const trail = new AuditTrail(database, unexpected)
    for (let at = 0; at < 7; at++) trail.count(entryOf(tenant, { outcome: 'refused' }))
    for (let at = 0; at < 3; at++) trail.count(entryOf(tenant, { outcome: 'refused', agent: { kind: 'stranger' } }))
    await trail.record(entryOf(tenant))
    assert.equal((await stored(tenant)).length, 1, 'still being counted')
    await trail.close()
    assert.equal(state.statements, 2)
    assert.deepEqual(
      (await stored(tenant)).slice(1).map(({ kind, detail }) => [kind, detail]),
      [
        ['gap', { entries: 7, client: 'c' }],
        ['gap', { entries: 3 }],
      ],
    )
  })

  it('counts beyond its bound without telling clients apart', async () => {
    const tenant = newTenant()
    const trail = new AuditTrail(pool, unexpected)
    for (let at = 0; at < gapsMax + 2; at++) trail.count(entryOf(tenant, { agent: { kind: 'client', id: `c${at}` } }))
    await trail.close()
    const entries = await stored(tenant)
    assert.deepEqual([entries.length, entries.at(-1)?.detail], [gapsMax + 1, { entries: 2 }])
  })

  it('tells of a count when its time is over', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const told = Promise.withResolvers<unknown>()
    const database = { query: async (_sql: string, values: unknown[]) => told.resolve(values) }
    const trail = new AuditTrail(database as unknown as Queryable, unexpected)
    trail.count(entryOf('t', { outcome: 'refused' }))
    t.mock.timers.tick(60_000)
    assert.match(JSON.stringify(await told.promise), /gap/)
  })

  it('exactly its bound of refusals leaves no gap', async () => {
    const tenant = newTenant()
    const trail = new AuditTrail(pool, unexpected)
    for (let at = 0; at < notesMax; at++) trail.note(refusalOf(tenant, `c${at}`))
    await trail.close()
    const entries = await stored(tenant)
    assert.deepEqual([entries.length, entries.at(-1)?.kind], [notesMax, 'token'])
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { openPool } from '../../database/pool.ts'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import type { CopyRow } from './copied-row.ts'
import { copyRows } from './copy-out.ts'

describe('rows of a binary COPY', () => {
  let store: TestStore

  before(async () => {
    store = await openTestStore()
  })
  after(() => store.close())

  async function read(query: string, signal?: AbortSignal): Promise<CopyRow[]> {
    return (await Array.fromAsync(copyRows(store.pool, query, signal))).flat()
  }

  it('give texts, bytes, numbers, flags and instants', async () => {
    const [row, ...others] = await read(`
      select 'Practitioner/a'::text, '\\x00ff'::bytea, -7, -(2::bigint ^ 52)::bigint, 2::bigint ^ 32 + 5::bigint, true, false`)
    assert.deepEqual(others, [])
    assert.equal(row!.length, 7)
    assert.equal(row!.text(0), 'Practitioner/a')
    assert.deepEqual(row!.binary(1), Buffer.from([0, 255]))
    assert.deepEqual([row!.integer(2), row!.bigint(3)], [-7, -(2 ** 52)])
    assert.deepEqual([row!.flag(5), row!.flag(6)], [true, false])
  })

  it('give big integers of both halves', async () => {
    const values = [0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n + 5n, 2n ** 53n - 1n, -1n, -(2n ** 32n) - 5n]
    const rows = await read(`select v::bigint from unnest('{${values.join(',')}}'::bigint[]) as v`)
    assert.deepEqual(
      rows.map((row) => BigInt(row.bigint(0))),
      values,
    )
  })

  it('give instants in milliseconds, infinite ones too', async () => {
    const texts = ['1999-12-31T23:59:58.5Z', '2000-01-01T00:00:00Z', '2026-11-23T06:51:25.123Z']
    const [row] = await read(`
      select ${texts.map((text) => `'${text}'::timestamptz`)}, 'infinity'::timestamptz, '-infinity'::timestamptz`)
    const found = [0, 1, 2, 3, 4].map((field) => row!.instant(field))
    assert.deepEqual(found, [...texts.map(Date.parse), Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
  })

  it('tell an empty value from null', async () => {
    const [row] = await read(`select '', null::text, ''::bytea, null::bytea`)
    assert.deepEqual(
      [0, 1, 2, 3].map((field) => row!.isNull(field)),
      [false, true, false, true],
    )
    assert.deepEqual([row!.text(0), row!.binary(2).length], ['', 0])
  })

  it('are none for a query without any', async () => {
    assert.deepEqual(await read('select 1 where false'), [])
  })

  it('are whole and in order whatever they weigh', async () => {
    const sizes = Array.from({ length: 400 }, (_, index) => [0, 1, 4_000, 9_000, 70_000, 300_000][index % 6]!)
    let n = 0
    let batches = 0
    for await (const rows of copyRows(
      store.pool,
      `
      select n, convert_to(repeat(chr(97 + (n % 26)::int), size), 'UTF8')
      from unnest('{${sizes.join(',')}}'::int[]) with ordinality as s(size, n)`,
    )) {
      batches++
      await turn()
      for (const row of rows) {
        const size = sizes[n++]!
        assert.equal(row.bigint(0), n)
        assert.ok(row.binary(1).equals(Buffer.alloc(size, String.fromCharCode(97 + (n % 26)))), `row ${n}`)
      }
    }
    assert.equal(n, sizes.length)
    assert.ok(batches > 1)
  })

  it('wait in the database for a reader who is slow', async () => {
    const rowBytes = 50_000
    const rows = copyRows(store.pool, `select repeat('x', ${rowBytes}) from generate_series(1, 2000)`)
    let total = 0
    let largest = 0
    for await (const batch of rows) {
      total += batch.length
      largest = Math.max(largest, batch.length)
      for (let turns = 0; turns < 20; turns++) await turn()
    }
    assert.equal(total, 2000)
    // A quarter of a megabyte, the row that went beyond it, and what else came in the same piece.
    assert.ok(largest * rowBytes <= 2 * 256 * 1024, `${largest} rows at once`)
  })

  it('end with the error of a query that fails in its middle', async () => {
    await assert.rejects(read('select 1 / (500 - n) from generate_series(1, 1000) as n'), /division by zero/)
    await assert.rejects(read('select nothing'), /"nothing" does not exist/)
    assert.equal((await read('select 1')).length, 1)
  })

  it('end with the reason of a signal', async () => {
    const abort = new AbortController()
    const rows = copyRows(store.pool, `select repeat('x', 1000) from generate_series(1, 1000000)`, abort.signal)
    await rows.next()
    abort.abort(new Error('cancelled'))
    await assert.rejects(async () => {
      for await (const _ of rows);
    }, /cancelled/)
    await assert.rejects(read('select 1', abort.signal), /cancelled/)
  })

  it('may take longer than other statements of their session, which keep its bound', async (t) => {
    const pool = openPool({ ...store.connection, options: '-c statement_timeout=1000' }, 1)
    t.after(() => pool.end())
    const boundOf = async () => (await pool.query<{ statement_timeout: string }>('show statement_timeout')).rows
    const first = await boundOf()
    const slow = `select current_setting('statement_timeout') from pg_sleep(1.5)`
    const [row] = (await Array.fromAsync(copyRows(pool, slow))).flat()
    assert.equal(row!.text(0), '0')
    await assert.rejects(pool.query('select pg_sleep(10)'), { code: '57014' })
    await assert.rejects(Array.fromAsync(copyRows(pool, 'select 1 / 0')), /division by zero/)
    assert.deepEqual([first, await boundOf()], [[{ statement_timeout: '1s' }], [{ statement_timeout: '1s' }]])
  })

  it('cost the connection when their reader stops early', async () => {
    for await (const rows of copyRows(store.pool, 'select n from generate_series(1, 10000000) as n')) {
      assert.ok(rows.length > 0)
      break
    }
    assert.equal(store.pool.idleCount, 0)
    assert.equal((await read('select 1')).length, 1)
  })

  it('end with an error when the connection is lost', async () => {
    const rows = copyRows(store.pool, `select repeat('x', 1000) from generate_series(1, 10000000)`)
    await rows.next()
    await store.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where query like '%copy (%' and pid <> pg_backend_pid()`,
    )
    await assert.rejects(async () => {
      for await (const _ of rows);
    })
  })
})

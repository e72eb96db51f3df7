import assert from 'node:assert/strict'
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { openStore, prepared } from '../database/embedded/embedded.fixture.ts'
import { migrate } from '../database/migrate.ts'
import { openTestStore } from '../database/store.fixture.ts'
import { type Draft, draftOf } from './draft.ts'
import { idsByIdentifier, tokenOf } from './identifiers.ts'
import type { Change } from './write/change.ts'
import { write } from './write/write.ts'

type Pair = readonly [system: string, value: string]

function draft(source: object | string): Draft {
  const read = draftOf(typeof source === 'string' ? source : JSON.stringify(source), [])
  assert.ok('text' in read, 'fault' in read ? read.fault : '')
  return read
}

const practitioner = (id: string, pairs: readonly Pair[], more: object = {}): Change => ({
  kind: 'put',
  draft: draft({
    resourceType: 'Practitioner',
    id,
    identifier: pairs.map(([system, value]) => ({ ...(system && { system }), value })),
    ...more,
  }),
})

const query = ([system, value]: Pair, type = 'Practitioner') => ({ type, system, value })

describe('the index of identifiers', () => {
  let store: Awaited<ReturnType<typeof openTestStore>>

  before(async () => {
    store = await openTestStore()
  })

  after(() => store.close())

  const ids = (tenant: string, ...pairs: readonly Pair[]) =>
    idsByIdentifier(
      store.pool,
      tenant,
      pairs.map((pair) => query(pair)),
    )

  const rowCount = async (tenant: string): Promise<number> =>
    (await store.pool.query('select count(*)::int as rows from identifier where tenant = $1', [tenant])).rows[0].rows

  test('finds what has an identifier, at most two records of each, in its tenant and type', async () => {
    const [a, b, none]: Pair[] = [
      ['http://a', '1'],
      ['', '1'],
      ['http://a', '2'],
    ]
    const patient = draft({ resourceType: 'Patient', id: 'p', identifier: [{ system: 'http://a', value: '2' }] })
    await write(store.pool, 'find', [
      practitioner('one', [a!]),
      practitioner('two', [a!, b!]),
      practitioner('three', [a!]),
      { kind: 'put', draft: patient },
    ])
    await write(store.pool, 'elsewhere', [practitioner('four', [none!])])
    assert.deepEqual(await ids('find', b!, a!, none!, b!), [['two'], ['one', 'three'], [], ['two']])
    assert.deepEqual(await idsByIdentifier(store.pool, 'find', [query(none!, 'Patient')]), [['p']])
    assert.deepEqual(await ids('find'), [])
    assert.deepEqual(await ids('find', ['a\0', '1'], a!), [[], ['one', 'three']])
  })

  test('follows updates, deletes and records that come again, and keeps no row too many', async () => {
    const [a, b]: Pair[] = [
      ['http://a', '1'],
      ['http://a', '2'],
    ]
    const { pool } = store
    const steps: readonly [change: Change, a: string[], b: string[], rows: number][] = [
      [practitioner('x', [a!]), ['x'], [], 1],
      [practitioner('x', [a!], { active: true }), ['x'], [], 1],
      [practitioner('x', [a!, b!, a!]), ['x'], ['x'], 2],
      [practitioner('x', [b!]), [], ['x'], 1],
      [{ kind: 'delete', key: { type: 'Practitioner', id: 'x' } }, [], [], 0],
      [practitioner('x', [a!]), ['x'], [], 1],
      [practitioner('x', []), [], [], 0],
      [practitioner('x', [b!]), [], ['x'], 1],
    ]
    for (const [change, ofA, ofB, rows] of steps) {
      await write(pool, 'follow', [change])
      assert.deepEqual(await ids('follow', a!, b!), [ofA, ofB])
      assert.equal(await rowCount('follow'), rows)
    }
  })

  test('never answers by a row alone: the body decides', async () => {
    const a: Pair = ['http://a', '1']
    await write(store.pool, 'stale', [practitioner('y', [a]), practitioner('z', [['http://a', '2']])])
    const insert = 'insert into identifier (tenant, type, token, id) values ($1, $2, $3, $4)'
    for (const id of ['gone', 'a', 'b', 'z']) {
      await store.pool.query(insert, ['stale', 'Practitioner', tokenOf(query(a)), id])
    }
    assert.deepEqual(await ids('stale', a), [['y']])
  })

  test('a put of what may only be new leaves another record alone', async () => {
    const { pool } = store
    const onlyNew = (change: Change) => ({ ...change, onlyNew: true as const }) as Change
    const [first, same, other] = [practitioner('n', []), practitioner('n', []), practitioner('n', [], { active: true })]
    for (const probablyNew of [false, true]) {
      const tenant = `new-${probablyNew}`
      const kinds: string[] = []
      for (const change of [first, same, other]) {
        const [outcome] = await write(pool, tenant, [onlyNew(change!)], { probablyNew })
        kinds.push(outcome!.kind)
      }
      assert.deepEqual(kinds, ['created', 'unchanged', 'exists'])
      const all = [onlyNew(other!), practitioner('m', [])]
      assert.deepEqual(
        (await write(pool, tenant, all, { allOrNothing: true })).map(({ kind }) => kind),
        ['exists', 'created'],
      )
      assert.deepEqual(
        await pool.query('select from record where tenant = $1', [tenant]).then((found) => found.rowCount),
        1,
      )
      await write(pool, tenant, [{ kind: 'delete', key: { type: 'Practitioner', id: 'n' } }])
      assert.equal((await write(pool, tenant, [onlyNew(other!)], { probablyNew }))[0]!.kind, 'created')
    }
  })

  test('the database finds the same identifiers in a text as parsing does (property)', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('a', '\\u0000', '\ud800', '\udc00\ud800', '\\', '"', '|', 'é', '\ud83d\ude00'),
    )
    const value = fc.oneof({ weight: 4, arbitrary: text }, fc.constantFrom(null, 7, true, [], {}))
    const item = fc.oneof({ weight: 5, arbitrary: fc.record({ system: value, value }, { requiredKeys: [] }) }, value)
    const identifier = fc.oneof(fc.array(item, { maxLength: 3 }), item)
    const escaped = fc.constantFrom(
      '"\\u0000"',
      '"\\\\u0000"',
      '"\\ud800"',
      '"\\ud83d\\ude00\\udc00"',
      '1e400000',
      '"\\\\\\ud800"',
    )
    await fc.assert(
      fc.asyncProperty(identifier, escaped, async (found, other) => {
        const body = `{"resourceType":"Basic","id":"x","other":${other},"identifier":${JSON.stringify(found)}}`
        const { rows } = await store.pool.query(
          'select identifier_token(f.system, f.value) as token from identifiers_of($1) f',
          [body],
        )
        // Of a NUL, which no text of FHIR has, PostgreSQL knows nothing.
        const { identifiers } = draft(body)
        if (identifiers.some((each) => `${each.system}${each.value}`.includes('\0'))) return
        assert.deepEqual(
          rows.map(({ token }) => token.toString('hex')),
          identifiers.map((each) => tokenOf(each).toString('hex')),
        )
      }),
      { numRuns: 500 },
    )
  })
})

const migrations = fileURLToPath(new URL('../database/migrations/', import.meta.url))

test('migration 014: what is stored already is found, whatever its text holds', async (t) => {
  const { pool } = await openStore(t, await prepared(t))
  const earlier = await mkdtemp(join(tmpdir(), 'millrace-migrations-'))
  t.after(() => rm(earlier, { recursive: true }))
  for (const file of await readdir(migrations)) {
    if (file < '014') await copyFile(join(migrations, file), join(earlier, file))
  }
  await migrate(pool, earlier)
  const insert = `insert into record (tenant, owner, type, id, version, written, superseded, updated, deleted, lead, shared, refs, targets, digest, body)
    values ('t', '', 'Practitioner', $1, 1, now(), $2, now(), $4, true, false, '', '', '', $3)`
  const body = (more: string) =>
    `{"resourceType":"Practitioner",${more},"identifier":[{"system":"a","value":"1"},{"system":"a","value":"1"}]}`
  await pool.query(insert, ['plain', 'infinity', body('"a":1'), false])
  await pool.query(insert, ['nul', 'infinity', body('"a":"\\u0000"'), false])
  await pool.query(insert, ['half', 'infinity', body('"a":"\\\\\\ud800"'), false])
  await pool.query(insert, ['number', 'infinity', body('"a":1e400000'), false])
  await pool.query(insert, ['old', new Date(), body('"a":1'), false])
  await pool.query(insert, ['deleted', 'infinity', null, true])
  assert.ok((await migrate(pool)).applied.includes('014-identifiers'))
  const { rows } = await pool.query('select id, token from identifier order by id')
  assert.deepEqual(
    rows.map(({ id }) => id),
    ['half', 'nul', 'number', 'plain'],
  )
  assert.deepEqual(rows[0].token, tokenOf({ system: 'a', value: '1' }))
  assert.deepEqual(await idsByIdentifier(pool, 't', [query(['a', '1'])]), [['half', 'nul']])
})

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { type Draft, draftOf } from '../draft.ts'
import { storeDrafts } from '../load/store-drafts.ts'
import type { Change } from './change.ts'
import { write } from './write.ts'

function patient(id: string, active = true): Draft {
  const draft = draftOf(JSON.stringify({ resourceType: 'Patient', id, active }), [])
  assert.ok('text' in draft)
  return draft
}

const put = (draft: Draft): Change => ({ kind: 'put', draft })
const putFresh = (draft: Draft): Change => ({ kind: 'put', draft, isFresh: true })

describe('a write of records that are probably new', () => {
  let store: TestStore

  before(async () => {
    store = await openTestStore()
  })

  after(() => store.close())

  async function versions(tenant: string): Promise<string[]> {
    const { rows } = await store.pool.query(
      `select id || ' ' || version || case when superseded = 'infinity' then '' else ' superseded' end
         || case when deleted then ' deleted' else '' end as version
       from record where tenant = $1 order by id, version`,
      [tenant],
    )
    return rows.map((row) => row.version)
  }

  it('looks for no record whose id was just given', async () => {
    const client = await store.pool.connect()
    const asked: string[] = []
    // A spy on the connection: what is asked is what is to be known.
    const { query } = client
    client.query = ((...words: Parameters<typeof query>) => {
      asked.push(`${typeof words[0] === 'string' ? words[0] : ''}`)
      return query.apply(client, words)
    }) as typeof query
    try {
      const pool = { connect: async () => ({ query: client.query, release: () => {} }) } as unknown as typeof store.pool
      const looks = () => asked.splice(0).filter((sql) => /from record\s+where .* lead and superseded/.test(sql)).length
      await write(pool, 'asked', [putFresh(patient('a')), putFresh(patient('b'))])
      assert.equal(looks(), 0)
      await write(pool, 'asked', [putFresh(patient('c')), put(patient('d'))])
      assert.equal(looks(), 1)
    } finally {
      client.query = query
      client.release()
    }
  })

  it('does the same as one that looks, when some are there', async () => {
    for (const [how, probablyNew, putThem] of [
      ['looks', false, put],
      ['probably-new', true, put],
      ['fresh', false, putFresh],
    ] as const) {
      const tenant = `some-${how}`
      const { pool } = store
      await write(
        pool,
        tenant,
        ['changed', 'same', 'gone'].map((id) => put(patient(id))),
      )
      await write(pool, tenant, [{ kind: 'delete', key: { type: 'Patient', id: 'gone' } }])
      const outcomes = await write(
        pool,
        tenant,
        [patient('new'), patient('changed', false), patient('same'), patient('gone')].map(putThem),
        { probablyNew },
      )
      assert.deepEqual(
        outcomes.map(({ kind, version }) => [kind, version]),
        [
          ['created', 1],
          ['updated', 2],
          ['unchanged', 1],
          ['created', 3],
        ],
      )
      assert.deepEqual(await versions(tenant), [
        'changed 1 superseded',
        'changed 2',
        'gone 1 superseded',
        'gone 2 superseded deleted',
        'gone 3',
        'new 1',
        'same 1',
      ])
    }
  })

  it('may be of the same records at the same time', async () => {
    const drafts = Array.from({ length: 50 }, (_, number) => put(patient(`p${number}`)))
    const writes = [drafts, drafts.toReversed(), drafts].map((changes) =>
      write(store.pool, 'race', changes, { probablyNew: true }),
    )
    const kinds = (await Promise.all(writes)).flat().map(({ kind }) => kind)
    assert.equal(kinds.filter((kind) => kind === 'created').length, drafts.length)
    assert.equal(kinds.filter((kind) => kind === 'unchanged').length, 2 * drafts.length)
    assert.equal((await versions('race')).length, drafts.length)
  })

  it('is what a load makes of batches behind new ones, and finds what is there', async () => {
    const { pool } = store
    const ids = Array.from({ length: 10_000 }, (_, number) => `p${number}`)
    await storeDrafts(pool, 'load', [patient('p7001', false), patient('p9000')], false, () => {})
    const counts = await storeDrafts(
      pool,
      'load',
      ids.map((id) => patient(id)),
      false,
      () => {},
    )
    assert.deepEqual(counts, { created: ids.length - 2, updated: 1, unchanged: 1 })
    assert.equal((await versions('load')).length, ids.length + 1)
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { draftOfLine } from '../../draft.ts'
import { BatchWriter } from '../batch-writer.ts'
import { LoadTally } from '../load-tally.ts'
import { LoadingStore, newTenant } from '../loading.fixture.ts'
import { SharedBuffers } from '../shared-buffers.ts'
import { wideLines } from '../wide-lines.fixture.ts'
import { parseBlock } from './block-parser.ts'

const filler = 'x'.repeat(2_500)
const basic = (id: string, more: object = {}) => `${JSON.stringify({ resourceType: 'Basic', id, ...more })}\n`

/** Some blocks of lines: `count` records each, around what is given for the block. */
const blocks = (count: number, middles: readonly string[], prefix = 'b'): string =>
  middles
    .map((middle, block) => {
      const lines = Array.from({ length: count }, (_, index) => basic(`${prefix}-${block}-${index}`, { filler }))
      return [...lines.slice(0, count / 2), middle, ...lines.slice(count / 2)].join('')
    })
    .join('')

describe('a load whose records are probably new', () => {
  let store: LoadingStore
  before(async () => {
    store = await LoadingStore.open()
  })
  after(() => store.close())

  for (const parseThreads of [0, 2]) {
    it(`keeps the order of the versions of one record, with ${parseThreads} threads`, async () => {
      const tenant = newTenant()
      // Far apart: what comes behind a record that is there is not taken for new.
      const rounds = [0, 1, 2].map((round) => blocks(1_600, ['', basic('same', { round }), ''], `r${round}`))
      const loaded = await store.load(tenant, { 'a.ndjson': rounds.join('') }, { parseThreads })
      assert.ok(loaded.asRows > 3_000, `${loaded.asRows}`)
      assert.deepEqual(loaded.faults, [])
      const { read, created, updated } = loaded.counts
      assert.deepEqual([read, created, updated], [14_403, 14_401, 2])
      const same = (await store.current(tenant)).get('Basic/same')!
      assert.deepEqual([same.version, JSON.parse(same.body).round], [3, 2])
    })
  }

  it('is the same as another one of records of several patients, and of what is about them', async () => {
    const { records, provenances } = wideLines(['p', 'q', 'r'], 700, 2_000)
    const lines = [...records, ...provenances].map((line) => `${line}\n`).join('')
    const found = []
    for (const text of [
      lines,
      records
        .concat(provenances)
        .map((line) => `${line}\n{}\n`)
        .join(''),
    ]) {
      const tenant = newTenant()
      const loaded = await store.load(tenant, { 'a.ndjson': text })
      assert.equal(loaded.counts.created, 7_000)
      found.push({ asRows: loaded.asRows, rows: await store.rows(tenant) })
    }
    assert.deepEqual([found[0]!.asRows > 5_000, found[1]!.asRows], [true, 0])
    assert.deepEqual(found[0]!.rows, found[1]!.rows)
  })

  it('does not write two batches with one record at the same time', async () => {
    const tenant = newTenant()
    const { pool } = store.database
    const writer = new BatchWriter(pool, tenant, false, new LoadTally(() => {}), () => {})
    const batch = (lines: string) => {
      const parsing = { tenant, bases: { own: [], source: [] }, keepLastUpdated: false, lineBytesMax: 10_000 }
      const [part] = parseBlock({ bytes: Buffer.from(lines), tooLong: false }, parsing, 0, new SharedBuffers().take(0))
      const drafts = lines.split('\n').filter((line) => line !== '')
      const steps = () =>
        drafts.map((line) => {
          const draft = draftOfLine(Buffer.from(line), [])
          assert.ok('text' in draft)
          return { kind: 'put' as const, draft, at: { file: '', place: '' } }
        })
      return writer.addRows(part!.rows!, steps, () => {})
    }
    // The second one would be the first to reach the record that both have.
    const others = (count: number, prefix: string) => Array.from({ length: count }, (_, id) => basic(`${prefix}${id}`))
    await batch([...others(3_500, 'a'), basic('same', { batch: 1 })].join(''))
    await batch([basic('same', { batch: 2 }), ...others(100, 'b')].join(''))
    await writer.finish()
    const same = (await store.current(tenant)).get('Basic/same')!
    assert.deepEqual([same.version, JSON.parse(same.body).batch], [2, 2])
  })

  it('goes on with changes when one of them is there', async () => {
    const tenant = newTenant()
    await store.load(tenant, { 'a.ndjson': basic('there', { old: true }) })
    const loaded = await store.load(tenant, { 'a.ndjson': blocks(1_600, ['', basic('there'), '']) })
    assert.ok(loaded.asRows > 0)
    assert.deepEqual([loaded.counts.created, loaded.counts.updated, loaded.faults], [4_800, 1, []])
    assert.equal((await store.current(tenant)).get('Basic/there')!.version, 2)
    const again = await store.load(tenant, { 'a.ndjson': blocks(1_600, ['', basic('there'), '']) })
    assert.deepEqual([again.asRows, again.counts.unchanged], [0, 4_801])
  })

  it('tells the lines of what it cannot load, and loads what stands around it', async () => {
    const tenant = newTenant()
    const loaded = await store.load(tenant, { 'a.ndjson': blocks(1_600, ['\n', '{}\n', '\n{]\n']) })
    assert.ok(loaded.asRows > 1_000, `${loaded.asRows}`)
    assert.equal(loaded.counts.created, 4_800)
    assert.deepEqual(
      loaded.faults.map((fault) => fault.slice(0, 22)),
      ['a.ndjson, line 2402: n', 'a.ndjson, line 4004: n'],
    )
  })

  it('holds what refers by identifier longer than the block that it stands in', async () => {
    const tenant = newTenant()
    const asking = (id: number) => basic(`asking-${id}`, { subject: { reference: 'Practitioner?identifier=s|1' } })
    const first = Array.from({ length: 50 }, (_, id) => asking(id)).join('')
    const text = `${first}${blocks(1_600, ['', '', ''])}`
    await store.load(tenant, { 'a.ndjson': blocks(1_600, ['', '', '']) })
    const loaded = await store.load(tenant, { 'a.ndjson': text })
    assert.deepEqual([loaded.counts.created, loaded.counts.unchanged, loaded.faults], [50, 4_800, []])
    const stored = await store.current(tenant)
    assert.equal(stored.get('Basic/asking-7')!.body.includes('Practitioner?identifier=s|1'), true)
  })

  it('writes what refers by identifier, and all behind it, as changes', async () => {
    const tenant = newTenant()
    const asking = basic('asking', { subject: { reference: 'Practitioner?identifier=s|1' } })
    const practitioner = `${JSON.stringify({ resourceType: 'Practitioner', id: 'p', identifier: [{ system: 's', value: '1' }] })}\n`
    const text = blocks(1_600, ['', `${asking}${practitioner}`, basic('asking', { later: true })])
    const loaded = await store.load(tenant, { 'a.ndjson': text })
    assert.ok(loaded.asRows > 1_000, `${loaded.asRows}`)
    assert.deepEqual([loaded.counts.created, loaded.counts.updated, loaded.references.resolved], [4_802, 1, 1])
    assert.equal(JSON.parse((await store.current(tenant)).get('Basic/asking')!.body).later, true)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inflateLines } from '../../../gzip/deflated.ts'
import { PackColumns } from '../columns/pack-columns.ts'
import { orderedBytesMax } from '../sections/pack-order.ts'
import { GatheredLines } from './gathered-lines.ts'
import { PackBuilder, type PackRow } from './pack-builder.ts'
import { PresentRecords } from './present-records.ts'

const provenance: PackRow = {
  ...{ owner: 'p', type: 'Provenance', id: 'v', changed: 5, updated: 5, shared: false },
  ...{ refs: '', targets: 'Condition/c Goal/g', body: Buffer.from('{}') },
}

/** The packs of some Provenances, and what there is of their targets. */
function packsWith(present: PresentRecords, rows: readonly PackRow[] = [provenance]) {
  const builder = new PackBuilder('Provenance', present, new GatheredLines())
  for (const row of rows) builder.add(row)
  return builder.finish()
}

describe('packs of Provenances', () => {
  it('say which of their targets are there, and when the last of them came or went', () => {
    const present = new PresentRecords('p')
    const told = () => packsWith(present).map(({ targets, changed, slice }) => [targets, changed, slice])
    assert.deepEqual(told(), [
      ['', 5, 'latest'],
      ['-', 5, 'older'],
    ])
    present.add('Goal', 'g', 9)
    assert.deepEqual(told(), [['Goal', 9, 'latest']])
    present.addEnd('Condition', 'c', 12)
    assert.deepEqual(told(), [['Goal', 12, 'latest']])
    present.add('Condition', 'c', 3)
    assert.deepEqual(told(), [['Condition,Goal', 9, 'latest']])
  })

  it('there are none of when it is not known what is there', () => {
    const present = new PresentRecords('p')
    for (const id of ['g', 'c']) present.add(id === 'g' ? 'Goal' : 'Condition', id, 1)
    for (let n = 0; present.isComplete; n++) present.add('Observation', `${n}`, 1)
    assert.deepEqual(packsWith(present), [])
  })

  it('hold those that are the newest of a target, then the others, and name those of several owners', () => {
    const present = new PresentRecords('p')
    present.add('Goal', 'g', 1)
    const bodyOf = (id: string, recorded: string) => Buffer.from(`{"id":"${id}","recorded":"${recorded}T00:00:00Z"}`)
    const row = (id: string, recorded: string, more: Partial<PackRow> = {}): PackRow => ({
      ...{ ...provenance, id, targets: 'Goal/g', refs: `Location/${id}`, body: bodyOf(id, recorded) },
      ...more,
    })
    const rows = [row('a', '2020-01-01'), row('b', '2021-01-01'), row('s', '2019-01-01', { shared: true })]
    const [latest, older, ...none] = packsWith(present, rows)
    assert.deepEqual(none, [])
    assert.equal(inflateLines(latest!).toString(), `${bodyOf('b', '2021-01-01')}\n`)
    assert.equal(inflateLines(older!).toString(), `${bodyOf('a', '2020-01-01')}\n`)
    assert.deepEqual([latest!.shared, older!.shared], ['', 'Provenance/s'])
    assert.deepEqual([`${latest!.refs}`, `${older!.refs}`], ['Location/b', 'Location/a Location/s'])
    assert.deepEqual([latest!.number, older!.number, older!.total], [0, 1, 2])
    const columns = new PackColumns(older!.columns!, true)
    assert.deepEqual([columns.count, columns.lines, columns.sharedId(1)], [2, 1, 's'])
    assert.deepEqual([...columns.provenances.ranks], [0, 2])
  })

  it('are divided at and below a bound, and not above it', () => {
    const present = new PresentRecords('p')
    present.add('Goal', 'g', 1)
    const size = orderedBytesMax / 8
    const slices = (more: number) => {
      const rows = Array.from({ length: 8 }, (_, index): PackRow => {
        const body = Buffer.alloc(size - 1 + (index === 7 ? more : 0), ' ')
        body.write('{}')
        return { ...provenance, id: `v${index}`, targets: 'Goal/g', updated: 10 - index, body }
      })
      return packsWith(present, rows).map(({ slice, records }) => `${slice} ${records}`)
    }
    assert.deepEqual(slices(0), ['latest 1', 'older 2', 'older 2', 'older 2', 'older 1'])
    assert.deepEqual(slices(-1), slices(0))
    assert.deepEqual(slices(1), [' 2', ' 2', ' 2', ' 1', ' 1'])
  })
})

describe('packs of very many lines', () => {
  const bodyOf = (id: string, size: number) => Buffer.from(`{"id":"${id}","text":"${id.repeat(size / id.length)}"}`)

  /** The lines that come out of the packs of so many records, sorted, and those that went in. */
  function through(type: string, count: number, size: number, more: (index: number) => Partial<PackRow> = () => ({})) {
    const present = new PresentRecords('p')
    const rows = Array.from({ length: count }, (_, index): PackRow => {
      const id = `r${100_000 + index}`
      return { ...provenance, type, id, targets: '', body: bodyOf(id, size + index), ...more(index) }
    })
    const builder = new PackBuilder(type, present, new GatheredLines())
    for (const row of rows) builder.add(row)
    const packs = builder.finish()
    for (const pack of packs) {
      if (pack.columns === undefined) continue
      const columns = new PackColumns(pack.columns, type === 'Provenance')
      const sections = columns.sectionsOf(pack)
      assert.equal(Buffer.concat(sections.map(({ lines }) => inflateLines(lines))).equals(inflateLines(pack)), true)
    }
    const lines = Buffer.concat(packs.map(inflateLines)).toString().split('\n').filter(Boolean)
    return { packs: packs.length, lines: lines.sort(), expected: rows.map(({ body }) => `${body}`).sort() }
  }

  it('hold each of them once, whole', () => {
    const categories = (index: number) => ({
      body: Buffer.from(`{"id":"r${100_000 + index}","category":"${index % 3}","text":"${'x'.repeat(3_000 + index)}"}`),
    })
    for (const [type, count, size] of [
      ['Encounter', 2_000, 1_500],
      ['Encounter', 5, 900_000],
      ['Provenance', 6_000, 2_000],
      ['Provenance', 2_000, 2_000],
    ] as const) {
      const { packs, lines, expected } = through(type, count, size)
      assert.ok(packs > 1)
      assert.deepEqual(lines, expected, `${count} of ${type}`)
    }
    const { packs, lines } = through('Observation', 1_500, 0, categories)
    assert.ok(packs > 1)
    assert.deepEqual(lines, Array.from({ length: 1_500 }, (_, index) => `${categories(index).body}`).sort())
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { CopyRow } from '../../copy/copied-row.ts'
import { CopyChunk } from '../../copy/copy-in.ts'
import { typesOf } from '../sections/section-key.ts'
import type { ColumnEntry } from './column-entry.ts'
import { PackColumns } from './pack-columns.ts'
import { columnsRoom, readSealedColumns, writeSealedColumns } from './sealed-columns.ts'
import { Numbered, writeColumns } from './write-columns.ts'

const names = fc.stringMatching(/^[A-Za-z0-9.-]{1,64}$/)
const reference = fc.tuple(fc.constantFrom('Location', 'Practitioner'), names).map((parts) => parts.join('/'))
const target = fc.tuple(fc.constantFrom('Condition', 'Goal', 'Patient'), names).map((parts) => parts.join('/'))
const time = fc.integer({ min: Date.UTC(1, 0), max: Date.UTC(9999, 0) })

const entry: fc.Arbitrary<ColumnEntry> = fc.record({
  id: names,
  length: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  updated: time,
  refs: fc.oneof(
    fc.constantFrom('', 'Location/a', 'Location/a Practitioner/b'),
    fc.uniqueArray(reference, { maxLength: 3 }).map((refs) => refs.join(' ')),
  ),
  rank: fc.nat(1_000_000),
  recorded: fc.oneof(time, fc.constant(Number.NEGATIVE_INFINITY)),
  targets: fc.uniqueArray(target, { maxLength: 3 }),
})
const entries = fc
  .tuple(fc.array(entry, { minLength: 1, maxLength: 40 }), fc.array(entry, { maxLength: 3 }))
  .map(([lines, shared]) => [...lines, ...shared.map((one) => ({ ...one, length: 0 }))])

describe('columns of a pack', () => {
  it('tell of each record what was written', () => {
    const property = fc.property(entries, fc.boolean(), (list, isOfProvenances) => {
      const refs = new Numbered()
      const typeSets = new Numbered()
      const columns = new PackColumns(
        writeColumns(list, [], refs, isOfProvenances ? typeSets : undefined),
        isOfProvenances,
      )
      assert.equal(columns.count, list.length)
      assert.equal(columns.lines, list.filter(({ length }) => length > 0).length)
      for (const [index, one] of list.entries()) {
        assert.equal(columns.lengths[index], one.length)
        assert.equal(columns.updated[index], one.updated)
        const told = columns.refsOf(columns.listOf(index)).map((place) => refs.texts[place])
        assert.equal(told.join(' '), one.refs)
        if (one.length === 0) assert.equal(columns.sharedId(index), one.id)
        if (!isOfProvenances) continue
        const { ranks, recorded, typeSets: sets } = columns.provenances
        assert.deepEqual([ranks[index], recorded[index]], [one.rank, one.recorded])
        assert.deepEqual(columns.provenances.targetsOf(index), one.targets)
        assert.equal(typeSets.texts[sets[index]!], typesOf(one.targets))
      }
      if (!isOfProvenances) assert.throws(() => columns.provenances, /only packs of Provenances/)
    })
    fc.assert(property, { numRuns: 500 })
  })

  const one: ColumnEntry = { ...{ id: 'a', length: 9, updated: 5, refs: '', rank: 0, recorded: 3 }, targets: [] }

  it('are deflated when they are long, and smaller for it', () => {
    const many = Array.from({ length: 1_000 }, (_, rank) => ({
      ...one,
      id: `a${rank}`,
      rank,
      targets: [`Goal/${rank}`],
    }))
    const columns = writeColumns(many, [], new Numbered(), new Numbered())
    assert.ok(columns.length < 7_000, `${columns.length} bytes`)
  })

  /** What is stored of columns under the seal of their pack. */
  function stored(columns: Buffer | undefined, seal: number): CopyRow {
    const chunk = new CopyChunk(columnsRoom({ columns }) + 100)
    chunk.beginRow(1)
    writeSealedColumns(chunk, seal, columns)
    return CopyRow.at(chunk.bytes(), 0)!
  }

  it('are believed only as they were sealed, and only with the pack that they belong to', () => {
    const columns = writeColumns([one], [], new Numbered(), undefined)
    const sealed = stored(columns, 7).binary(0)
    assert.deepEqual(readSealedColumns(sealed, 7), columns)
    assert.equal(readSealedColumns(sealed, 8), undefined)
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed)
      changed[at]! ^= 1
      assert.equal(readSealedColumns(changed, 7), undefined)
      assert.equal(readSealedColumns(sealed.subarray(0, at), 7), undefined)
    }
    assert.equal(stored(undefined, 7).isNull(0), true)
  })
})

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { GatheredLines } from './gathered-lines.ts'
import { PackBuilder, type PackRow } from './pack-builder.ts'
import { PresentRecords } from './present-records.ts'

const provenance: PackRow = {
  ...{ owner: 'p', type: 'Provenance', id: 'v', changed: 5, updated: 5, shared: false },
  ...{ refs: '', targets: 'Condition/c Goal/g', body: Buffer.from('{}') },
}

/** The packs of one Provenance about two records, and what there is of them. */
function packsWith(present: PresentRecords) {
  const builder = new PackBuilder('Provenance', present, new GatheredLines())
  builder.add(provenance)
  return builder.finish()
}

it('packs of Provenances say which of their targets are there, and when the last of them came', () => {
  const present = new PresentRecords('p')
  assert.deepEqual(packsWith(present), [])
  present.add('Goal', 'g', 9)
  assert.deepEqual(
    packsWith(present).map(({ targets, changed }) => [targets, changed]),
    [['Goal', 9]],
  )
  present.add('Condition', 'c', 3)
  assert.deepEqual(
    packsWith(present).map(({ targets, changed }) => [targets, changed]),
    [['Condition,Goal', 9]],
  )
})

it('there are none of Provenances when it is not known what is there', () => {
  const present = new PresentRecords('p')
  for (const id of ['g', 'c']) present.add(id === 'g' ? 'Goal' : 'Condition', id, 1)
  for (let n = 0; present.isComplete; n++) present.add('Observation', `${n}`, 1)
  assert.deepEqual(packsWith(present), [])
})

import { clinicalTypes } from '../../fhir/resource-types.ts'
import { absencePack } from '../../records/packs/absence-pack.ts'
import { GatheredLines } from '../../records/packs/build/gathered-lines.ts'
import { PackBuilder } from '../../records/packs/build/pack-builder.ts'
import { PresentRecords } from '../../records/packs/build/present-records.ts'
import type { Pack } from '../../records/packs/pack.ts'

/** Records of each type that somebody made up has, and characters of each. */
const recordsOfType = 6
const charactersOfRecord = 800

/** Packs of types as a patient has them, of records that nobody has written. */
export function madeUpPacks(owner: string, at: number): readonly Pack[] {
  const present = new PresentRecords(owner)
  const lines = new GatheredLines()
  for (const type of types) for (const id of ids) present.add(type, id, at)
  const packs = [...types, 'Provenance'].flatMap((type) => {
    const builder = new PackBuilder(type, present, lines)
    for (const id of ids) builder.add({ ...rowOf(type, id), owner, changed: at, updated: at })
    return builder.finish()
  })
  return [absencePack(owner, [...types, 'Provenance']), ...packs]
}

/** Those that Oracle documents. */
const types = ['Patient', ...clinicalTypes]

const ids = Array.from({ length: recordsOfType }, (_, number) => `made-up-${number}`)

function rowOf(type: string, id: string) {
  const recorded = '2026-01-01T00:00:00Z'
  const body = JSON.stringify({
    resourceType: type,
    id,
    recorded,
    text: { div: 'made up '.repeat(charactersOfRecord / 8) },
  })
  const targets = type === 'Provenance' ? `Observation/${id}` : ''
  return { type, id, shared: false, refs: `Practitioner/${id} Organization/${id}`, targets, body: Buffer.from(body) }
}

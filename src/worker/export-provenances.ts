import { allComeAlong, isWhole } from '../export/pack-use.ts'
import type { PartWriter } from '../files/part-writer.ts'
import { provenancesOfOwners, type RecordAsOf, recordsOfOwners } from '../records/as-of.ts'
import { lineTest } from './line-test.ts'
import { isNewer, type ProvenanceAge, recordedOf } from './newest.ts'
import { ownedRecords } from './owned-records.ts'
import type { Selection } from './selection.ts'

/** What a partition has exported: records by `Type/id`, and their owners. */
export interface Exported {
  readonly has: (reference: string) => boolean
  readonly hasOwner: (owner: string) => boolean
}

/**
 * Exports the Provenances of a partition's owners that come along with what was exported (protocol §3).
 * @param packed owners whose packs are expected to serve: all of their Provenances come along
 */
export async function exportProvenances(
  selection: Selection,
  packed: readonly string[] = [],
  exported: Exported,
): Promise<void> {
  const { held, job } = selection
  const all = isWhole(job.request)
  const versions = (owners: readonly string[]) =>
    wantedProvenances(
      selection,
      all ? owners : owners.filter(exported.hasOwner),
      all ? (target) => selection.includes(target.slice(0, target.indexOf('/'))) : exported.has,
    )
  await selection.writing('Provenance', 'output', async (writer) => {
    const serves = ({ targets, undisputed }: { targets: string; undisputed: boolean }) =>
      allComeAlong(job.request, targets, undisputed)
    const reading = { type: 'Provenance', use: 'copied' as const, packed, versions, serves }
    for await (const taken of ownedRecords(selection, reading)) {
      if ('packs' in taken) for (const pack of taken.packs) await selection.copy(writer, pack)
      else {
        await addProvenances(selection, writer, taken.records)
        held.scanned += taken.records.length
      }
    }
  })
}

/** A Provenance of several owners could be met by several partitions: the last one exports it, once. */
async function addProvenances(selection: Selection, writer: PartWriter, records: readonly RecordAsOf[]): Promise<void> {
  for (const { id, refs } of records.filter(({ shared }) => shared)) {
    selection.references.add(`Provenance/${id}`)
    selection.refer(refs)
  }
  await selection.add(
    writer,
    records.filter(({ shared }) => !shared),
  )
}

/** The Provenances of owners that come along: those of exported records, or only the newest of each, as far as a filter lets them pass. */
async function* wantedProvenances(
  selection: Selection,
  owners: readonly string[],
  isExported: (target: string) => boolean,
): AsyncGenerator<RecordAsOf[]> {
  const test = lineTest(selection.job, 'Provenance')
  const exportedTargets = ({ targets, body }: RecordAsOf) => {
    const found = targets === '' ? [] : targets.split(' ').filter(isExported)
    return found.length > 0 && (test === undefined || test.passes(body)) ? found : []
  }
  if (selection.job.request.provenance === 'relevant') {
    for await (const records of provenances(selection, owners)) {
      yield records.filter((record) => exportedTargets(record).length > 0)
    }
    return
  }
  const newest = new Map<string, ProvenanceAge>()
  for await (const records of provenances(selection, owners)) {
    for (const record of records) {
      const targets = exportedTargets(record)
      if (targets.length === 0) continue
      const candidate = { recorded: recordedOf(record.body), updated: record.updated, id: record.id }
      for (const target of targets) {
        const best = newest.get(target)
        if (best === undefined || isNewer(candidate, best)) newest.set(target, candidate)
      }
    }
  }
  const winners = new Set([...newest.values()].map(({ id }) => id))
  for await (const records of provenances(selection, owners)) yield records.filter(({ id }) => winners.has(id))
}

/**
 * All Provenances of owners. D32: they follow their targets, so `_since` does not ask for their own time. Where every record of the
 * types is exported, it is enough to know which targets are there.
 */
const provenances = ({ pool, job, at }: Selection, owners: readonly string[]): AsyncGenerator<RecordAsOf[]> =>
  isWhole(job.request)
    ? provenancesOfOwners(pool, { ...at, owners })
    : recordsOfOwners(pool, { ...at, type: 'Provenance', owners })

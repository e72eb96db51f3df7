import type { PartWriter } from '../../files/part-writer.ts'
import { forThemselves, isWhole } from '../../protocol/plan/pack-use.ts'
import { provenancesOfOwners, type RecordAsOf, recordsOfOwners } from '../../records/as-of.ts'
import { rendererOf } from './choice.ts'
import type { ExportedIds } from './exported-ids.ts'
import { lineTest } from './line-test.ts'
import { isNewer, type ProvenanceAge, recordedOf } from './newest-provenance.ts'
import type { Selection } from './selection.ts'
import type { TypeExport } from './type-queue.ts'

/** The export of the Provenances of a partition's owners that come along with what was exported (protocol §3). */
export function exportOfProvenances(selection: Selection, writer: PartWriter, exported: () => ExportedIds): TypeExport {
  const { held, job } = selection
  const whole = isWhole(job.request)
  const everyOwner = whole || forThemselves(job.request)
  const isSelected = (target: string) => selection.includes(target.slice(0, target.indexOf('/')))
  return {
    versions: (owners) =>
      wantedProvenances(
        selection,
        everyOwner ? owners : owners.filter(exported().hasOwner),
        whole ? isSelected : exported().has,
      ),
    addRecords: async (records) => {
      await addProvenances(selection, writer, records)
      held.scanned += records.length
    },
    addPack: (pack) => selection.copy(writer, pack),
  }
}

/** A Provenance of several owners could be met by several partitions: the last one exports it, once. */
async function addProvenances(selection: Selection, writer: PartWriter, records: readonly RecordAsOf[]): Promise<void> {
  for (const { id, refs } of records.filter(({ shared }) => shared)) {
    selection.references.add(`Provenance/${id}`)
    selection.refer(refs)
  }
  const own = records.filter(({ shared }) => !shared)
  await selection.add(writer, rendererOf(selection.job, 'Provenance')(own))
}

/**
 * The Provenances of owners that come along: those of exported records, or only the newest of each; and those that are exported for
 * themselves. All as far as a filter lets them pass.
 */
export async function* wantedProvenances(
  selection: Selection,
  owners: readonly string[],
  isExported: (target: string) => boolean,
): AsyncGenerator<RecordAsOf[]> {
  const test = lineTest(selection.job, 'Provenance')
  const passes = ({ body }: RecordAsOf) => test === undefined || test.passes(body)
  const exportedTargets = (record: RecordAsOf) => {
    const found = record.targets === '' ? [] : record.targets.split(' ').filter(isExported)
    return found.length > 0 && passes(record) ? found : []
  }
  const { request } = selection.job
  if (request.provenance === 'relevant') {
    const { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = request
    const alone = forThemselves(request)
    const isAsked = (record: RecordAsOf) => alone && record.updated > since && record.updated < until && passes(record)
    for await (const records of provenances(selection, owners)) {
      yield records.filter((record) => isAsked(record) || exportedTargets(record).length > 0)
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
 * All Provenances of owners. D32: they follow their targets, so `_since` and `_until` do not ask for their own time. Where every record of the
 * types is exported, it is enough to know which targets are there.
 */
const provenances = ({ pool, job, at }: Selection, owners: readonly string[]): AsyncGenerator<RecordAsOf[]> =>
  isWhole(job.request)
    ? provenancesOfOwners(pool, { ...at, owners })
    : recordsOfOwners(pool, { ...at, type: 'Provenance', owners })

import type { LineSink } from '../../../files/part-writer.ts'
import { forThemselves } from '../../../protocol/plan/pack-use.ts'
import { provenancesOfOwners, type RecordAsOf } from '../../../records/as-of.ts'
import { NewestOfTargets, type ProvenanceAge, recordedOf } from '../../../records/provenance-age.ts'
import { rendererOf } from '../choice.ts'
import { provenancesInPackOrder } from '../in-pack-order.ts'
import { lineTest } from '../line-test.ts'
import type { Selection } from '../selection.ts'
import type { TypeExport } from '../type-queue.ts'
import { ChoiceOfProvenances } from './choice-of-provenances.ts'
import type { ExportedRecords } from './exported-records.ts'

/** The export of the Provenances of a partition's owners that come along with what was exported (protocol §3). */
export function exportOfProvenances(selection: Selection, writer: LineSink, exported: ExportedRecords): TypeExport {
  const { held, job, pool, at } = selection
  const choice = new ChoiceOfProvenances(selection, writer, exported)
  const render = rendererOf(job, 'Provenance')
  const areAlone = forThemselves(job.request)
  return {
    versions: (all) => {
      const owners = areAlone ? all : all.filter((owner) => exported.of(owner).any)
      const read = () => provenancesOfOwners(pool, { ...at, owners })
      return wantedProvenances(
        selection,
        (target, owner) => exported.of(owner).has(target),
        read,
        provenancesInPackOrder(read()),
      )
    },
    addRecords: async (records) => {
      await selection.addOwn(writer, 'Provenance', records, render)
      held.scanned += records.length
    },
    addPacks: (packs) => choice.addPacks(packs),
  }
}

/**
 * The Provenances of owners that come along: those of exported records, or only the newest of each; and those that are exported for
 * themselves. All as far as a filter lets them pass. D32: they follow their targets, so `_since` and `_until` do not ask for their own time.
 * @param isExported whether a target was exported that is there, `Type/id`
 * @param read reads all of the owners
 * @param ordered all of them in the order that is wanted; asked once
 */
export async function* wantedProvenances(
  selection: Selection,
  isExported: (target: string, owner: string) => boolean,
  read: () => AsyncGenerator<RecordAsOf[]>,
  ordered: AsyncGenerator<RecordAsOf[]>,
): AsyncGenerator<RecordAsOf[]> {
  const test = lineTest(selection.job, 'Provenance')
  const passes = ({ body }: RecordAsOf) => test === undefined || test.passes(body)
  const exportedTargets = (record: RecordAsOf) => {
    const found =
      record.targets === '' ? [] : record.targets.split(' ').filter((target) => isExported(target, record.owner))
    return found.length > 0 && passes(record) ? found : []
  }
  const { request } = selection.job
  if (request.provenance === 'relevant') {
    const { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = request
    const alone = forThemselves(request)
    const isAsked = (record: RecordAsOf) => alone && record.updated > since && record.updated < until && passes(record)
    for await (const records of ordered) {
      yield records.filter((record) => isAsked(record) || exportedTargets(record).length > 0)
    }
    return
  }
  const newest = new NewestOfTargets<ProvenanceAge>()
  for await (const records of read()) {
    for (const record of records) {
      const targets = exportedTargets(record)
      if (targets.length === 0) continue
      newest.add({ recorded: recordedOf(record.body), updated: record.updated, rank: record.id }, targets)
    }
  }
  const winners = new Set([...newest.winners()].map(({ rank }) => rank))
  for await (const records of ordered) yield records.filter(({ id }) => winners.has(id))
}

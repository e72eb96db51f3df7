import { exportableTypes, isReferenceType } from '../fhir/resource-types.ts'
import type { PartWriter } from '../files/part-writer.ts'
import { compileFilter } from '../filter/compile.ts'
import { type RecordAsOf, recordsOfOwners } from '../records/as-of.ts'
import { ExportedIds } from './exported-ids.ts'
import { isNewer, type ProvenanceAge, recordedOf } from './newest.ts'
import type { Selection } from './selection.ts'

/** Exports the records of a partition's owners as of the job's transactionTime, all types, then their Provenances. */
export async function exportOwners(selection: Selection): Promise<void> {
  const exported = new ExportedIds()
  const withProvenance = selection.includes('Provenance')
  for (const type of exportableTypes) {
    if (!selection.includes(type) || type === 'Provenance' || isReferenceType(type)) continue
    const passes = filterOf(selection, type)
    await selection.writing(type, 'output', async (writer) => {
      for await (const read of recordsOfOwners(selection.pool, queryOf(selection, type))) {
        const records = passes === undefined ? read : read.filter(passes)
        if (withProvenance) exported.add(type, records)
        await selection.add(writer, records)
        selection.held.exported += read.length
      }
    })
  }
  if (!withProvenance) return
  const wanted = await wantedProvenances(selection, exported)
  await selection.writing('Provenance', 'output', async (writer) => {
    for await (const records of recordsOfOwners(selection.pool, queryOf(selection, 'Provenance'))) {
      await addProvenances(selection, writer, records.filter(wanted))
      selection.held.exported += records.length
    }
  })
}

/** The test of a type's `_typeFilter`, undefined when it has none. A quick look at the bytes spares parsing most records. */
function filterOf({ job }: Selection, type: string): ((record: RecordAsOf) => boolean) | undefined {
  const { filters, base } = job.request
  const queries = filters[type]
  if (queries === undefined) return undefined
  const filter = compileFilter(queries, { bases: [base], now: job.transactionTime })
  return ({ body }) => filter.mayMatch(body) && filter.matches(JSON.parse(body.toString('utf8')))
}

/** D32: a Provenance follows its targets, so `_since` does not ask for its own time. */
function queryOf({ job, held }: Selection, type: string) {
  return {
    tenant: job.tenant,
    type,
    owners: held.partition.owners,
    asOf: job.transactionTime.getTime(),
    since: type === 'Provenance' ? undefined : job.request.since,
    signal: held.signal,
  }
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

const exportedTargets = (record: RecordAsOf, exported: ExportedIds): string[] =>
  record.targets === '' ? [] : record.targets.split(' ').filter((target) => exported.has(target))

/** Which Provenances come along: those of exported records, or only the newest of each (protocol §3). */
async function wantedProvenances(
  selection: Selection,
  exported: ExportedIds,
): Promise<(record: RecordAsOf) => boolean> {
  if (selection.job.request.provenance === 'relevant') return (record) => exportedTargets(record, exported).length > 0
  const newest = new Map<string, ProvenanceAge>()
  for await (const records of recordsOfOwners(selection.pool, queryOf(selection, 'Provenance'))) {
    for (const record of records) {
      const targets = exportedTargets(record, exported)
      if (targets.length === 0) continue
      const candidate = { recorded: recordedOf(record.body), updated: record.updated, id: record.id }
      for (const target of targets) {
        const best = newest.get(target)
        if (best === undefined || isNewer(candidate, best)) newest.set(target, candidate)
      }
    }
  }
  const winners = new Set([...newest.values()].map(({ id }) => id))
  return ({ id }) => winners.has(id)
}

import { isWhole, packUse } from '../export/pack-use.ts'
import { exportableTypes, isReferenceType } from '../fhir/resource-types.ts'
import type { PartWriter } from '../files/part-writer.ts'
import { inflateLines } from '../gzip/deflated.ts'
import { recordsOfOwners } from '../records/as-of.ts'
import type { Pack } from '../records/pack.ts'
import { noPacks, type PackedOwners } from '../records/packed-owners.ts'
import { isOfOwners, rendererOf } from './choice.ts'
import { exportProvenances } from './export-provenances.ts'
import { ExportedIds } from './exported-ids.ts'
import { type LineTest, lineTest, passingLines } from './line-test.ts'
import { ownedRecords, refusePacks } from './owned-records.ts'
import { ownersWithPacks } from './owners-with-packs.ts'
import type { Selection } from './selection.ts'

/** Exports the records of a partition's owners as of the job's transactionTime, all types, then their Provenances. */
export async function exportOwners(selection: Selection): Promise<void> {
  const types = exportableTypes.filter((type) => selection.includes(type) && isOfOwners(selection.job.request, type))
  const packed = await ownersWithPacks(selection, types)
  const exported = new ExportedIds()
  for (const type of types) {
    if (type === 'Provenance') continue
    await selection.writing(type, 'output', (writer) => exportType(selection, writer, type, packed.get(type), exported))
  }
  if (types.includes('Provenance')) await exportProvenances(selection, packed.get('Provenance'), exported)
}

/** @param owners those whose packs serve; @param exported notes what was exported, where that must be known */
async function exportType(
  selection: Selection,
  writer: PartWriter,
  type: string,
  owners: PackedOwners = noPacks,
  exported: ExportedIds,
): Promise<void> {
  const { pool, job, held, at } = selection
  const { since, until } = job.request
  const test = lineTest(job, type)
  const render = rendererOf(job, type)
  const idsNeeded = selection.includes('Provenance') && !isWhole(job.request) && !isReferenceType(type)
  const versions = (owners: readonly string[]) => recordsOfOwners(pool, { ...at, type, owners, since, until })
  for await (const taken of ownedRecords(selection, { type, use: packUse(job.request, type), owners, versions })) {
    if ('packs' in taken) for (const pack of taken.packs) await addPack(selection, writer, pack, test)
    else {
      const records = test === undefined ? taken.records : taken.records.filter(({ body }) => test.passes(body))
      if (idsNeeded) exported.add(type, records)
      await selection.add(writer, render(records))
      held.scanned += taken.records.length
    }
  }
}

/** Copies a pack, or inflates it to look for the lines that pass. */
async function addPack(
  selection: Selection,
  writer: PartWriter,
  pack: Pack,
  test: LineTest | undefined,
): Promise<void> {
  if (test === undefined) return selection.copy(writer, pack)
  selection.held.signal.throwIfAborted()
  const lines = passingLines(await inflated(selection, pack), test)
  if (lines.length > 0) await writer.write(Buffer.concat(lines), lines.length)
  selection.held.scanned += pack.records
}

/** The lines of a pack. One that holds something else is dropped: the next attempt reads the versions. */
async function inflated(selection: Selection, pack: Pack): Promise<Buffer> {
  try {
    return inflateLines(pack)
  } catch (error) {
    await refusePacks(selection, pack.owner, pack.type)
    throw error
  }
}

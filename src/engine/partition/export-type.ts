import { isReferenceType } from '../../fhir/resource-types.ts'
import type { PartWriter } from '../../files/part-writer.ts'
import { inflateLines } from '../../gzip/deflated.ts'
import { isWhole } from '../../protocol/plan/pack-use.ts'
import { recordsOfOwners } from '../../records/as-of.ts'
import type { Pack } from '../../records/packs/pack.ts'
import { rendererOf } from './choice.ts'
import type { ExportedIds } from './exported-ids.ts'
import { type LineTest, lineTest } from './line-test.ts'
import { OpenOfLines } from './open-of-lines.ts'
import { refusePacks } from './packs-that-serve.ts'
import type { Selection } from './selection.ts'
import type { TypeExport } from './type-queue.ts'

/**
 * The export of one type, but Provenance.
 * @param exported notes what was exported, where that must be known
 */
export function exportOfType(
  selection: Selection,
  writer: PartWriter,
  type: string,
  exported: () => ExportedIds,
): TypeExport {
  const { pool, job, held, at } = selection
  const { since, until } = job.request
  const test = lineTest(job, type)
  const render = rendererOf(job, type)
  const open = new OpenOfLines(selection, job.request.base)
  const idsNeeded = selection.includes('Provenance') && !isWhole(job.request) && !isReferenceType(type)
  return {
    versions: (owners) => recordsOfOwners(pool, { ...at, type, owners, since, until }),
    addRecords: async (read) => {
      const records = test === undefined ? read : read.filter(({ body }) => test.passes(body))
      if (idsNeeded) exported().add(type, records)
      await selection.add(writer, render(records))
      held.scanned += read.length
    },
    addPack: (pack) =>
      test === undefined ? selection.copy(writer, pack) : addPassing(selection, writer, pack, test, open),
  }
}

/** Inflates a pack to look for the lines that pass. */
async function addPassing(
  selection: Selection,
  writer: PartWriter,
  pack: Pack,
  test: LineTest,
  open: OpenOfLines,
): Promise<void> {
  selection.held.signal.throwIfAborted()
  const { runs, records } = test.passing(await inflated(selection, pack))
  open.note(pack, runs)
  if (records > 0) await writer.write(runs.length === 1 ? runs[0]! : Buffer.concat(runs), records)
  selection.held.scanned += pack.records
}

/** The lines of a pack. One that holds something else is dropped: the next attempt reads the versions. */
async function inflated(selection: Selection, pack: Pack): Promise<Buffer> {
  try {
    return inflateLines(pack)
  } catch (error) {
    await refusePacks(selection, pack)
    throw error
  }
}

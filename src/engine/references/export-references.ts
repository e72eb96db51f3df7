import { type Issue, operationOutcome } from '../../fhir/operation-outcome.ts'
import { jobWarnings } from '../../jobs/job.ts'
import {
  exportedHop,
  type NotedReference,
  notedTypes,
  openReferences,
  referencePages,
} from '../../jobs/noted-reference.ts'
import { unresolvedReferencesMax } from '../../protocol/limits.ts'
import { comesAlong, isNobodys } from '../../protocol/plan/coming-along.ts'
import { openReferenceIssues } from '../../protocol/plan/open-references.ts'
import { type RecordAsOf, recordsWithIds } from '../../records/as-of.ts'
import { chooserOf, rendererOf } from '../partition/choice.ts'
import type { Selection } from '../partition/selection.ts'
import { followReferences } from './follow-references.ts'
import { ownerlessIssues } from './ownerless-issues.ts'
import { PermittedBinaries } from './permitted-binaries.ts'
import { unexportedIssues } from './unexported-issues.ts'
import { unreadableIssues } from './unreadable-issues.ts'

/**
 * The last partition of a job: every record of several owners, and every record of nobody that others refer to, each once; and the `error` file, which says what was ignored, could not be found, or leads nowhere.
 */
export async function exportReferences(selection: Selection): Promise<void> {
  const issues: Issue[] = [...(await jobWarnings(selection.pool, selection.job.id))]
  if (selection.job.request.referenceWalk === 'transitive') issues.push(...(await followReferences(selection)))
  // What the referenced records refer to themselves is no part of the export unless it was followed, and is not told either.
  const open = [...(await openReferences(selection.pool, selection.job.id)), ...selection.references]
  let unresolved = 0
  for (const type of await notedTypes(selection.pool, selection.job.id)) {
    for (const id of await exportType(selection, type)) {
      if (++unresolved <= unresolvedReferencesMax) issues.push(unresolvedIssue(`${type}/${id}`))
    }
  }
  if (unresolved > unresolvedReferencesMax) {
    issues.push({
      severity: 'warning',
      code: 'not-found',
      text: `${unresolved - unresolvedReferencesMax} more references lead to records that are not in the store.`,
    })
  }
  issues.push(
    ...openReferenceIssues(open),
    ...(await ownerlessIssues(selection)),
    ...(await unreadableIssues(selection)),
    ...(await unexportedIssues(selection)),
  )
  if (issues.length === 0) return
  await selection.writing('OperationOutcome', 'error', async (writer) => {
    const lines = issues.map((issue) => `${JSON.stringify(operationOutcome([issue]))}\n`)
    await writer.write(Buffer.from(lines.join('')), lines.length)
  })
}

const unresolvedIssue = (reference: string): Issue => ({
  severity: 'warning',
  code: 'not-found',
  text: 'A referenced record is not in the store.',
  diagnostics: reference,
})

/**
 * Tells of the noted records of a type which are written: those of nobody, and the exported ones of several owners. What records refer to
 * may also be other patients'; or the same patient's, whose partition has exported it. Of a type to which nothing refers all are exported.
 */
function isWritten(noted: readonly NotedReference[], mayBeReferred: boolean): (record: RecordAsOf) => boolean {
  const exported = new Set(noted.flatMap(({ id, hop }) => (hop === exportedHop || !mayBeReferred ? [id] : [])))
  return (record) => isNobodys(record) || (record.shared && exported.has(record.id))
}

/** Exports the noted records of one type that its filter lets pass; gives the ids of those that were not there. */
async function exportType(selection: Selection, type: string): Promise<string[]> {
  const { job, held, pool } = selection
  const missing: string[] = []
  const choose = chooserOf(job, type)
  const render = rendererOf(job, type)
  const permitted = new PermittedBinaries(selection)
  await selection.writing(type, 'output', async (writer) => {
    for await (const noted of referencePages(pool, job.id, type)) {
      const ids = noted.map(({ id }) => id)
      const isOne = isWritten(noted, comesAlong(job.request, type))
      const absent = new Set(ids)
      const asOf = job.transactionTime.getTime()
      for await (const records of recordsWithIds(pool, { tenant: job.tenant, type, ids, asOf, signal: held.signal })) {
        for (const { id } of records) absent.delete(id)
        const own = await permitted.among(type, choose(records.filter(isOne)))
        await selection.add(writer, render(own))
        held.scanned += records.length
      }
      missing.push(...absent)
    }
  })
  return missing
}

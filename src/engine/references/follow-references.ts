import type { Issue } from '../../fhir/operation-outcome.ts'
import { addReferences, lacksReference, referencePages } from '../../jobs/noted-reference.ts'
import { referenceHopsMax } from '../../protocol/limits.ts'
import { comesAlong, isNobodys } from '../../protocol/plan/coming-along.ts'
import { recordsWithIds } from '../../records/as-of.ts'
import { lineTest } from '../partition/line-test.ts'
import type { Selection } from '../partition/selection.ts'

/**
 * Notes what the noted records of nobody refer to, and so on (O-14): `partOf`, `managingOrganization`, `qualification.issuer` and every
 * other reference to a type that may come along. Each record is noted once, so circles end. What is noted depends on
 * the records as of the job's time only: an attempt that was killed has noted a part of the same.
 * @returns a warning when there is more behind the last hop
 */
export async function followReferences(selection: Selection): Promise<Issue[]> {
  const { job, pool } = selection
  for (let hop = 0; ; hop++) {
    let found = 0
    for await (const references of referencesOfHop(selection, hop)) {
      found++
      if (hop < referenceHopsMax) await addReferences(pool, job.id, references, hop + 1)
      else if (await lacksReference(pool, job.id, references)) return [tooFar]
    }
    if (found === 0) return []
  }
}

const tooFar: Issue = {
  severity: 'warning',
  code: 'incomplete',
  text: `References of referenced records were followed ${referenceHopsMax} times; there is more behind.`,
}

/** What the records that are so many hops away refer to, some hundreds of records at a time. */
async function* referencesOfHop(selection: Selection, hop: number): AsyncGenerator<ReadonlySet<string>> {
  const { job, held, pool } = selection
  const asOf = job.transactionTime.getTime()
  for (const type of job.request.types.filter((each) => comesAlong(job.request, each))) {
    const test = lineTest(job, type)
    for await (const noted of referencePages(pool, job.id, type, hop)) {
      held.signal.throwIfAborted()
      const ids = noted.map(({ id }) => id)
      const references = new Set<string>()
      for await (const records of recordsWithIds(pool, { tenant: job.tenant, type, ids, asOf, signal: held.signal })) {
        for (const { refs, body } of records.filter(isNobodys)) {
          if (test !== undefined && !test.passes(body)) continue
          for (const reference of selection.selected(refs)) references.add(reference)
          selection.noteOpen(refs)
        }
      }
      yield references
    }
  }
}

import { compileFilters, type Filter } from '../../filter/compile.ts'
import type { Job } from '../../jobs/job.ts'

/** The test of stored lines of one type. */
export interface LineTest {
  /** @param line the text of one record */
  readonly passes: (line: Buffer) => boolean
  /** The same of lines where they stand. */
  readonly filter: Pick<Filter, 'next' | 'passes' | 'decides'>
}

/**
 * The test of what narrows a type of an export, undefined when nothing does: `_typeFilter` and granular scopes, as they were at kick-off.
 * A quick look at the bytes spares most records a close one.
 */
export function lineTest(job: Job, type: string): LineTest | undefined {
  const { filters, base } = job.request
  const lists = filters[type]
  if (lists === undefined) return undefined
  const filter = compileFilters(lists, { bases: [base], now: job.transactionTime })
  return { passes: (line) => filter.next(line, 0) === 0 && filter.passes(line, 0, line.length), filter }
}

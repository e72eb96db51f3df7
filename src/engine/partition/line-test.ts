import { compileFilters } from '../../filter/compile.ts'
import type { Job } from '../../jobs/job.ts'

/** The test of stored lines of one type. */
export interface LineTest {
  /** @param line the text of one record */
  readonly passes: (line: Buffer) => boolean
  /** A quick look: false only when none of the lines in these bytes passes. */
  readonly mayPass: (bytes: Buffer) => boolean
}

/**
 * The test of what narrows a type of an export, undefined when nothing does: `_typeFilter` and granular scopes, as they were at kick-off.
 * A quick look at the bytes spares parsing most records.
 */
export function lineTest(job: Job, type: string): LineTest | undefined {
  const { filters, base } = job.request
  const lists = filters[type]
  if (lists === undefined) return undefined
  const filter = compileFilters(lists, { bases: [base], now: job.transactionTime })
  return {
    passes: (line) => filter.mayMatch(line) && filter.matches(JSON.parse(line.toString('utf8'))),
    mayPass: filter.mayMatch,
  }
}

/** The lines that pass, each with its line feed. */
export function passingLines(lines: Buffer, test: LineTest): Buffer[] {
  const passing: Buffer[] = []
  if (!test.mayPass(lines)) return passing
  for (let start = 0; start < lines.length; ) {
    const feed = lines.indexOf(0x0a, start)
    if (test.passes(lines.subarray(start, feed))) passing.push(lines.subarray(start, feed + 1))
    start = feed + 1
  }
  return passing
}

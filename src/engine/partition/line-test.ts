import { compileFilters, type Filter } from '../../filter/compile.ts'
import type { Job } from '../../jobs/job.ts'

/** The test of stored lines of one type. */
export interface LineTest {
  /** @param line the text of one record */
  readonly passes: (line: Buffer) => boolean
  /** @param lines texts of records, each with its line feed */
  readonly passing: (lines: Buffer) => PassingLines
}

/** Those of some lines that pass, in runs of neighbours: each line with its line feed. */
export interface PassingLines {
  readonly runs: readonly Buffer[]
  readonly records: number
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
  return {
    passes: (line) => filter.next(line, 0) === 0 && filter.passes(line, 0, line.length),
    passing: (lines) => passingLines(lines, filter),
  }
}

const lineFeed = 0x0a

/** Goes through the lines where they are: most stand in one buffer by the dozen, and few are wanted. */
export function passingLines(lines: Buffer, { next, passes }: Pick<Filter, 'next' | 'passes'>): PassingLines {
  const runs: Buffer[] = []
  let records = 0
  let [runStart, runEnd] = [0, 0]
  for (let start = next(lines, 0); start < lines.length; ) {
    const feed = lines.indexOf(lineFeed, start)
    if (passes(lines, start, feed)) {
      records++
      if (start !== runEnd) {
        if (runEnd > runStart) runs.push(lines.subarray(runStart, runEnd))
        runStart = start
      }
      runEnd = feed + 1
    }
    start = next(lines, feed + 1)
  }
  if (runEnd > runStart) runs.push(lines.subarray(runStart, runEnd))
  return { runs, records }
}

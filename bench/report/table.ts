import { formatBytes, formatCount } from '../../src/cli/export/export-summary.ts'
import { type Output, printTable } from '../../src/cli/output.ts'
import { barRecordsMin } from '../catalogue.ts'
import type { Result } from '../figure.ts'
import { groupsOf } from './groups.ts'

/** So wide that the tables of all groups stand in line. */
const widthsMin = [50, 19, 21]

/** Prints a result for people. */
export function printResult(output: Output, result: Result): void {
  for (const line of describeRun(result)) output.write(`${line}\n`)
  for (const { heading, rows } of groupsOf(result.figures)) {
    output.write('\n')
    printTable(
      output,
      heading.map((cell, column) => cell.padEnd(widthsMin[column] ?? 0)),
      rows,
    )
  }
}

/** What was measured, on what, and what else the reader must know. */
export function describeRun({ machine, dataset, repeats, seconds, millrace, notes }: Result): string[] {
  const { cores, memoryGb, node, postgres, database } = machine
  const { patients, records, bytes } = dataset
  return [
    `Millrace ${millrace}, ${cores} cores, ${memoryGb} GB of memory, Node ${node}, PostgreSQL ${postgres} (${database}).`,
    `${formatCount(patients)} patients, ${formatCount(records)} records, ${formatBytes(bytes)} of NDJSON. ` +
      `${repeats === 1 ? 'One round' : `Medians of ${repeats} rounds`}, measured in ${Math.round(seconds)} s.`,
    ...(records < barRecordsMin
      ? [`The bars are for ${formatCount(barRecordsMin)} records or more, so none is judged here.`]
      : []),
    ...notes,
  ]
}

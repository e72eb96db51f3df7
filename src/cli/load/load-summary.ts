import type { LoadFault, LoadSummary, OpenReference } from '../../records/load/load-tally.ts'
import type { Listed } from '../../records/load/short-list.ts'
import { type Output, printJson } from '../output.ts'

/** What a load did, and how long it took with its packing. */
export interface LoadResult {
  readonly summary: LoadSummary
  /** The first of them. */
  readonly faults: readonly LoadFault[]
  readonly seconds: number
}

/** Lines of one list that are shown to people; `--json` has more of them. */
const linesMax = 20

/** For other programs. */
export function printSummaryJson(output: Output, tenant: string, { summary, faults, seconds }: LoadResult): void {
  const { counts, references, files, passedOver, orphaned } = summary
  const { lastUpdatedReplaced, notRecords, ...plain } = counts
  const list = <Item>({ count, first }: Listed<Item>) => ({ count, list: first })
  printJson(output, {
    tenant,
    records: recordsOf(summary),
    ...plain,
    last_updated_replaced: lastUpdatedReplaced,
    not_records: notRecords,
    references: { resolved: references.resolved, open: references.open.count, open_list: references.open.first },
    orphaned,
    files: list(files),
    passed_over: list(passedOver),
    seconds: Number(seconds.toFixed(3)),
    fault_list: faults,
  })
}

/** For people: first what went wrong, then what was done, each only where there is something to say. */
export function printSummary(output: Output, tenant: string, { summary, faults, seconds }: LoadResult): void {
  const { counts, references, files, passedOver, orphaned } = summary
  for (const { file, place, reason } of faults) {
    process.stderr.write(`${place === '' ? file : `${file}, ${place}`}: ${reason}\n`)
  }
  if (counts.faults > faults.length) process.stderr.write(`… and ${counts.faults - faults.length} more.\n`)
  printList(output, files, ({ file, form }) => `${file}: ${form}`, 'files')
  const records = recordsOf(summary)
  const rate = Math.round(records / Math.max(seconds, 0.001))
  output.write(
    `Loaded ${records} records into tenant ${tenant}: ${counts.created} new, ${counts.updated} changed, ` +
      `${counts.unchanged} unchanged, and packed them, in ${seconds.toFixed(1)} s (${rate} records/s).\n`,
  )
  const say = (count: number, text: string) => count > 0 && output.write(`${count} ${text}\n`)
  say(counts.deleted, 'deleted.')
  say(counts.absent, 'to be deleted, but not there.')
  say(counts.found, 'not created, since the record is there (ifNoneExist).')
  say(counts.older, 'older than what is there, and left alone (--keep-last-updated).')
  say(
    counts.lastUpdatedReplaced,
    'with a meta.lastUpdated that is no instant or still to come: they have the time of loading.',
  )
  say(counts.notRecords, 'that are no records: OperationOutcomes and Parameters without an id.')
  printReferences(output, references)
  for (const [type, count] of Object.entries(orphaned)) {
    output.write(`${count} ${type} of this tenant belong to no patient, and are in no patient's export.\n`)
  }
  if (Object.keys(orphaned).length > 0) {
    output.write('If they name patients by the URL of the server they come from, load again with --source-base URL.\n')
  }
  say(passedOver.count, 'files passed over:')
  printList(output, passedOver, (file) => `  ${file}`, 'files')
  say(counts.refused, 'refused.')
  if (counts.faults > 0) output.write(`${counts.faults} faults are listed above. Mend them and load again.\n`)
}

const recordsOf = ({ counts: { created, updated, unchanged } }: LoadSummary): number => created + updated + unchanged

function printReferences(output: Output, { resolved, open }: LoadSummary['references']): void {
  if (resolved + open.count === 0) return
  output.write(`References: ${resolved} resolved by identifier, ${open.count} open.\n`)
  printList(output, open, openText, 'open references')
}

const openText = ({ record, names, because }: OpenReference): string =>
  names === 'urn'
    ? `  ${record}: a URN that no entry of its Bundle has`
    : `  ${record}: ${names} by identifier, ${because}`

function printList<Item>(output: Output, { count, first }: Listed<Item>, textOf: (item: Item) => string, of: string) {
  const shown = first.slice(0, linesMax)
  for (const item of shown) output.write(`${textOf(item)}\n`)
  if (count > shown.length) output.write(`  … and ${count - shown.length} more ${of}.\n`)
}

import { Command, InvalidArgumentError, Option } from 'commander'
import { existingTenant } from '../../access/registry/tenant.ts'
import type { StoreFlags } from '../../config.ts'
import { jobStateCounts, type ListedJob, listJobs } from '../../jobs/job-summary.ts'
import { type JobState, jobStates } from '../../protocol/plan/job-state.ts'
import { formatCount } from '../export/export-summary.ts'
import { type Output, printJson, printTable, storeFlagsText } from '../output.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'

interface Flags extends StoreFlags {
  readonly tenant?: string
  readonly state?: JobState
  readonly count: number
  readonly json?: boolean
}

/** Jobs that are listed when nothing is said, and at most. */
const listedDefault = 20
const listedMax = 500

const help = `
Examples:
  $ bin/millrace job list
  $ bin/millrace job list --state failed --tenant clinic --json`

/** `millrace job list`. */
export function jobListCommand(environment: Readonly<Record<string, string | undefined>>, output: Output): Command {
  return withStoreOptions(new Command('list'))
    .description('list exports, newest first, and count them by state')
    .option('--tenant <id>', 'of this tenant only')
    .addOption(new Option('--state <state>', 'in this state only').choices([...jobStates]))
    .option('--count <n>', `how many, at most ${listedMax}`, parseCount, listedDefault)
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(async (flags: Flags) => {
      const { tenant, state, count } = flags
      const [jobs, counts] = await withDatabase(flags, environment, async (pool) => {
        if (tenant !== undefined) await existingTenant(pool, tenant)
        const wanted = { count, ...(tenant === undefined ? {} : { tenant }), ...(state === undefined ? {} : { state }) }
        return [await listJobs(pool, wanted), await jobStateCounts(pool, tenant)]
      })
      if (flags.json) return printJson(output, { jobs: jobs.map(describe), states: Object.fromEntries(counts) })
      if (jobs.length > 0) {
        printTable(output, ['JOB', 'STATE', 'TENANT', 'CLIENT', 'PATIENTS', 'ACCEPTED', 'SECONDS'], jobs.map(cellsOf))
        output.write('\n')
      }
      const told = jobStates.flatMap((each) => (counts.has(each) ? [`${formatCount(counts.get(each)!)} ${each}`] : []))
      output.write(`${told.length === 0 ? 'There is no export.' : `In all: ${told.join(', ')}.`}\n`)
      if (jobs.some(({ failure }) => failure !== null))
        output.write(`Why one has failed: bin/millrace job show JOB${storeFlagsText(flags)}\n`)
    })
}

function parseCount(text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= listedMax) return Number(text)
  throw new InvalidArgumentError(`A whole number from 1 to ${listedMax} is needed.`)
}

const describe = ({ id, transactionTime, ...job }: ListedJob) => ({
  job: id,
  ...job,
  transaction_time: transactionTime,
})

const cellsOf = ({ id, state, tenant, client, patients, created, finished }: ListedJob): string[] => [
  id,
  state,
  tenant,
  client,
  patients === 0 ? 'all' : String(patients),
  created.toISOString(),
  finished === null ? '' : ((finished.getTime() - created.getTime()) / 1000).toFixed(1),
]

import { Command } from 'commander'
import { describeJob } from '../../administration/jobs.ts'
import type { StoreFlags } from '../../config.ts'
import type { JobSummary } from '../../jobs/job-summary.ts'
import { formatBytes, formatCount } from '../export/export-summary.ts'
import { type Output, printJson, printTable } from '../output.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'

interface Flags extends StoreFlags {
  readonly json?: boolean
}

/** `millrace job show`. */
export function jobShowCommand(environment: Readonly<Record<string, string | undefined>>, output: Output): Command {
  return withStoreOptions(new Command('show'))
    .description('show an export: what was asked, how far it is, what it has, why it failed')
    .argument('<job>', 'its id, the last part of its status URL')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ bin/millrace job show 5ce2ebb4-fba5-4d2e-a5cf-3b3d7b4bd0b8')
    .action(async (id: string, flags: Flags) => {
      const job = await withDatabase(flags, environment, (pool) => describeJob(pool, id))
      if (flags.json) {
        const { id: told, ...rest } = job
        return printJson(output, { job: told, ...rest })
      }
      printTable(output, ['JOB', job.id], rowsOf(job))
    })
}

function rowsOf(job: JobSummary): string[][] {
  const time = (at: Date | null) => at?.toISOString()
  const { request } = job
  const rows: [string, string | undefined][] = [
    ['state', job.state],
    ['failure', job.failure ?? undefined],
    ['tenant', job.tenant],
    ['client', job.client],
    ['patients', job.patients === 0 ? (request.reach ?? 'all') : formatCount(job.patients)],
    ['types', request.types?.join(', ')],
    ['filters', request.filters && Object.keys(request.filters).join(', ')],
    ['since', request.since === undefined ? undefined : new Date(request.since).toISOString()],
    ['as of', time(job.transactionTime)],
    ['accepted', time(job.created)],
    ['started', time(job.started)],
    ['finished', time(job.finished)],
    ['files until', time(job.expires)],
    ['partitions', `${job.partitionsDone} of ${job.partitions} done, ${job.furtherAttempts} further attempts`],
    ['records', `${formatCount(job.scanned)} of ${formatCount(job.planned)} gone through`],
    ['files', `${formatCount(job.files)} with ${formatCount(job.records)} records, ${formatBytes(job.bytes)}`],
  ]
  return rows.filter(([, told]) => told !== undefined && told !== '') as string[][]
}

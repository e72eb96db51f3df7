import { Command } from 'commander'
import { operator } from '../../administration/administer.ts'
import { cancelJob, removeJob } from '../../administration/jobs.ts'
import type { StoreFlags } from '../../config.ts'
import { type Output, printJson } from '../output.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'

type Environment = Readonly<Record<string, string | undefined>>
interface Flags extends StoreFlags {
  readonly json?: boolean
}

const cancelHelp = `
Its client is told that the operator has cancelled it, and may start another one at once.

Example:
  $ bin/millrace job cancel 5ce2ebb4-fba5-4d2e-a5cf-3b3d7b4bd0b8`

/** `millrace job cancel`. */
export function jobCancelCommand(environment: Environment, output: Output): Command {
  return withStoreOptions(new Command('cancel'))
    .description('stop an export that runs')
    .argument('<job>', 'its id')
    .option('--json', 'print one JSON object')
    .addHelpText('after', cancelHelp)
    .action(async (id: string, flags: Flags) => {
      const { tenant, client } = await withDatabase(flags, environment, (pool) => cancelJob(pool, operator(), id))
      if (flags.json) printJson(output, { job: id, tenant, client, cancelled: true })
      else output.write(`Cancelled export ${id} of client ${client} of tenant ${tenant}.\n`)
    })
}

const deleteHelp = `
For its client the export is deleted, whether it runs or is done. A running server removes its files within a minute.

Example:
  $ bin/millrace job delete 5ce2ebb4-fba5-4d2e-a5cf-3b3d7b4bd0b8`

/** `millrace job delete`. */
export function jobDeleteCommand(environment: Environment, output: Output): Command {
  return withStoreOptions(new Command('delete'))
    .description('end an export and remove its files')
    .argument('<job>', 'its id')
    .option('--json', 'print one JSON object')
    .addHelpText('after', deleteHelp)
    .action(async (id: string, flags: Flags) => {
      const { tenant, client } = await withDatabase(flags, environment, (pool) => removeJob(pool, operator(), id))
      if (flags.json) printJson(output, { job: id, tenant, client, deleted: true })
      else output.write(`Deleted export ${id} of client ${client} of tenant ${tenant}.\n`)
    })
}

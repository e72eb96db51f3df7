import { Command } from 'commander'
import { operator } from '../../administration/administer.ts'
import { removeClient } from '../../administration/clients.ts'
import type { StoreFlags } from '../../config.ts'
import { type Output, printJson } from '../output.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'

interface Flags extends StoreFlags {
  readonly withJobs?: boolean
  readonly json?: boolean
}

const help = `
A client that has exports is not removed unless --with-jobs says that they shall go too; "client disable" keeps them. What the client
did stays in the audit trail.

Example:
  $ bin/millrace client remove 5ce2ebb4-fba5-4d2e-a5cf-3b3d7b4bd0b8 --with-jobs`

/** `millrace client remove`. */
export function clientRemoveCommand(
  environment: Readonly<Record<string, string | undefined>>,
  output: Output,
): Command {
  return withStoreOptions(new Command('remove'))
    .description('remove a client for ever')
    .argument('<client>', 'its client id')
    .option('--with-jobs', 'remove its exports and their files too')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(async (id: string, flags: Flags) => {
      const { name, tenant } = await withDatabase(flags, environment, (pool) =>
        removeClient(pool, operator(), id, flags.withJobs ?? false),
      )
      if (flags.json) printJson(output, { client_id: id, tenant, name, removed: true })
      else output.write(`Removed client ${id} (${name}) of tenant ${tenant}.\n`)
    })
}

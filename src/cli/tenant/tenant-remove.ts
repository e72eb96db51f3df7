import { Command } from 'commander'
import { operator } from '../../administration/administer.ts'
import { removeTenant } from '../../administration/tenants.ts'
import type { StoreFlags } from '../../config.ts'
import { type Output, printJson } from '../output.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'

interface Flags extends StoreFlags {
  readonly withData?: boolean
  readonly json?: boolean
}

const help = `
A tenant that has clients, records or exports is not removed unless --with-data says that they shall go too. End loads into it first.
A removal that is broken off is finished by typing it again. The tenant's audit trail stays, and can be exported.

Example:
  $ bin/millrace tenant remove clinic --with-data`

/** `millrace tenant remove`. */
export function tenantRemoveCommand(
  environment: Readonly<Record<string, string | undefined>>,
  output: Output,
): Command {
  return withStoreOptions(new Command('remove'))
    .description('remove a tenant for ever')
    .argument('<tenant>', 'its id')
    .option('--with-data', 'remove its clients, records and exports too')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(async (id: string, flags: Flags) => {
      const { rows } = await withDatabase(flags, environment, (pool) =>
        removeTenant(pool, operator(), id, flags.withData ?? false),
      )
      if (flags.json) printJson(output, { tenant: id, removed: true, record_rows: rows })
      else output.write(`Removed tenant ${id}${rows > 0 ? ` and ${rows} rows of its records` : ''}.\n`)
    })
}

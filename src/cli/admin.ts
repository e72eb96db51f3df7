import { Command } from 'commander'
import { resetAdministrator } from '../access/registry/administrator.ts'
import { administer, operator } from '../administration/administer.ts'
import { storeChain } from '../audit/entry.ts'
import type { StoreFlags } from '../config.ts'
import { type Output, printJson } from './output.ts'
import { withStoreOptions } from './store-options.ts'
import { withDatabase } from './with-database.ts'

interface Flags extends StoreFlags {
  readonly json?: boolean
}

/** `millrace admin`: the credential of the administrator API. */
export function adminCommand(
  environment: Readonly<Record<string, string | undefined>>,
  output: Output = process.stdout,
): Command {
  return new Command('admin').description("the administrator's credential").addCommand(
    withStoreOptions(new Command('reset'))
      .description(
        'make a new credential for the administrator API; the present one is refused from the next request on',
      )
      .option('--json', 'print one JSON object')
      .addHelpText(
        'after',
        '\nIt is printed once, and only its hash is kept.\n\nExample:\n  $ bin/millrace admin reset',
      )
      .action(async (flags: Flags) => {
        const event = { tenant: storeChain, kind: 'administration' as const, detail: { change: 'administrator reset' } }
        const credential = await withDatabase(flags, environment, (pool) =>
          administer(pool, operator(), event, resetAdministrator),
        )
        if (flags.json) printJson(output, { credential })
        else output.write(`${credential}\n`)
      }),
  )
}

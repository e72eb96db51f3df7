import { Command } from 'commander'
import { operator } from '../../administration/administer.ts'
import { switchClient } from '../../administration/clients.ts'
import type { StoreFlags } from '../../config.ts'
import { type Output, printJson, storeFlagsText } from '../output.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'

type Environment = Readonly<Record<string, string | undefined>>
interface Flags extends StoreFlags {
  readonly json?: boolean
}

const exampleId = '5ce2ebb4-fba5-4d2e-a5cf-3b3d7b4bd0b8'

/** `millrace client disable`. */
export const clientDisableCommand = (environment: Environment, output: Output): Command =>
  switchCommand(environment, output, {
    name: 'disable',
    state: 'disabled',
    description: 'refuse a client from its next request on, its live tokens too',
  })

/** `millrace client enable`. */
export const clientEnableCommand = (environment: Environment, output: Output): Command =>
  switchCommand(environment, output, {
    name: 'enable',
    state: 'enabled',
    description: 'let a disabled client in again',
  })

interface Switch {
  readonly name: string
  readonly state: 'enabled' | 'disabled'
  readonly description: string
}

function switchCommand(environment: Environment, output: Output, { name, state, description }: Switch): Command {
  return withStoreOptions(new Command(name))
    .description(description)
    .argument('<client>', 'its client id')
    .option('--json', 'print one JSON object')
    .addHelpText('after', `\nExample:\n  $ bin/millrace client ${name} ${exampleId}`)
    .action(async (id: string, flags: Flags) => {
      const client = await withDatabase(flags, environment, (pool) => switchClient(pool, operator(), id, state))
      const { tenant, disabled } = client
      if (flags.json) {
        return printJson(output, {
          client_id: id,
          tenant,
          name: client.name,
          disabled: disabled?.toISOString() ?? null,
        })
      }
      const done = state === 'disabled' ? 'Disabled' : 'Enabled'
      output.write(
        `${done} client ${id} (${client.name}) of tenant ${tenant}.\n\nList the clients of the tenant with:\n`,
      )
      output.write(`  bin/millrace client list --tenant ${tenant}${storeFlagsText(flags)}\n`)
    })
}

import { Command } from 'commander'
import { type Client, listClients } from '../../access/registry/client.ts'
import { existingTenant } from '../../access/registry/tenant.ts'
import { describeClient } from '../../administration/clients.ts'
import type { StoreFlags } from '../../config.ts'
import { type Output, printJson, printTable, storeFlagsText } from '../output.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'

type Environment = Readonly<Record<string, string | undefined>>
interface Flags extends StoreFlags {
  readonly json?: boolean
}

function keysText({ keys }: Client): string {
  if (keys.kind === 'secret') return 'secret'
  return keys.kind === 'url' ? keys.url : keys.keys.map(({ kid }) => kid).join(' ')
}

const describe = (client: Client) => ({
  client_id: client.id,
  name: client.name,
  keys: keysText(client),
  scope: client.scopes.join(' '),
  created: client.created.toISOString(),
  disabled: client.disabled?.toISOString() ?? null,
})

/** `millrace client list`. */
export function clientListCommand(environment: Environment, output: Output): Command {
  return withStoreOptions(new Command('list'))
    .description('list the clients of a tenant')
    .requiredOption('--tenant <id>', 'the tenant')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ bin/millrace client list --tenant clinic')
    .action(async (flags: Flags & { readonly tenant: string }) => {
      const clients = await withDatabase(flags, environment, async (pool) => {
        await existingTenant(pool, flags.tenant)
        return listClients(pool, flags.tenant)
      })
      if (flags.json) return printJson(output, { tenant: flags.tenant, clients: clients.map(describe) })
      if (clients.length === 0) {
        output.write(`Tenant ${flags.tenant} has no client. Register one with: bin/millrace client add --help\n`)
        return
      }
      const cells = clients.map(({ id, name, disabled, scopes }) => [
        id,
        name,
        disabled ? 'disabled' : 'active',
        scopes.join(' '),
      ])
      printTable(output, ['CLIENT', 'NAME', 'STATE', 'SCOPE'], cells)
    })
}

/** `millrace client show`. */
export function clientShowCommand(environment: Environment, output: Output): Command {
  return withStoreOptions(new Command('show'))
    .description('show a client and its exports')
    .argument('<client>', 'its client id')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ bin/millrace client show 5ce2ebb4-fba5-4d2e-a5cf-3b3d7b4bd0b8')
    .action(async (id: string, flags: Flags) => {
      const { client, liveJobs, completedJobs } = await withDatabase(flags, environment, (pool) =>
        describeClient(pool, id),
      )
      if (flags.json) {
        const exports = { running: liveJobs, completed: completedJobs }
        return printJson(output, { tenant: client.tenant, ...describe(client), exports })
      }
      printTable(
        output,
        ['CLIENT', client.id],
        [
          ['name', client.name],
          ['tenant', client.tenant],
          ['state', client.disabled ? `disabled since ${client.disabled.toISOString()}` : 'active'],
          ['scope', client.scopes.join(' ')],
          ['keys', keysText(client)],
          ['created', client.created.toISOString()],
          ['exports', `${liveJobs} running, ${completedJobs} completed`],
        ],
      )
      output.write(
        `\nAll clients of the tenant:\n  bin/millrace client list --tenant ${client.tenant}${storeFlagsText(flags)}\n`,
      )
    })
}

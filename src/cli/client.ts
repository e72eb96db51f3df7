import { Command } from 'commander'
import { type Client, disableClient, listClients } from '../access/client.ts'
import { findTenant } from '../access/tenant.ts'
import type { StoreFlags } from '../config.ts'
import { Failure } from '../failure.ts'
import { clientAddCommand } from './client-add.ts'
import { type Output, printJson, printTable, storeFlagsText } from './output.ts'
import { withStoreOptions } from './store-options.ts'
import { withDatabase } from './with-database.ts'

type Environment = Readonly<Record<string, string | undefined>>
interface Flags extends StoreFlags {
  readonly json?: boolean
}

/** `millrace client`: register, list and disable client applications. */
export function clientCommand(environment: Environment, output: Output = process.stdout): Command {
  return new Command('client')
    .description('register, list and disable client applications')
    .addCommand(clientAddCommand(environment, output))
    .addCommand(listCommand(environment, output))
    .addCommand(disableCommand(environment, output))
}

function listCommand(environment: Environment, output: Output): Command {
  return withStoreOptions(new Command('list'))
    .description('list the clients of a tenant')
    .requiredOption('--tenant <id>', 'the tenant')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ bin/millrace client list --tenant clinic')
    .action(async (flags: Flags & { readonly tenant: string }) => {
      const clients = await withDatabase(flags, environment, async (pool) => {
        if (!(await findTenant(pool, flags.tenant))) {
          throw new Failure(`There is no tenant "${flags.tenant}".`, 'List the tenants with: bin/millrace tenant list')
        }
        return listClients(pool, flags.tenant)
      })
      const rows = clients.map(({ id, name, keys, scopes, created, disabled }) => ({
        client_id: id,
        name,
        keys: keysText(keys),
        scope: scopes.join(' '),
        created: created.toISOString(),
        disabled: disabled?.toISOString() ?? null,
      }))
      if (flags.json) return printJson(output, { tenant: flags.tenant, clients: rows })
      if (rows.length === 0) {
        output.write(`Tenant ${flags.tenant} has no client. Register one with: bin/millrace client add --help\n`)
        return
      }
      const cells = rows.map((row) => [
        row.client_id,
        row.name,
        row.disabled === null ? 'active' : 'disabled',
        row.scope,
      ])
      printTable(output, ['CLIENT', 'NAME', 'STATE', 'SCOPE'], cells)
    })
}

function keysText(keys: Client['keys']): string {
  if (keys.kind === 'secret') return 'secret'
  return keys.kind === 'url' ? keys.url : keys.keys.map(({ kid }) => kid).join(' ')
}

function disableCommand(environment: Environment, output: Output): Command {
  return withStoreOptions(new Command('disable'))
    .description('refuse a client from now on; its live tokens too')
    .argument('<client>', 'its client id')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ bin/millrace client disable 5ce2ebb4-fba5-4d2e-a5cf-3b3d7b4bd0b8')
    .action(async (id: string, flags: Flags) => {
      const client = await withDatabase(flags, environment, (pool) => disableClient(pool, id))
      const { name, tenant, disabled } = client
      if (flags.json) return printJson(output, { client_id: id, tenant, name, disabled: disabled?.toISOString() })
      output.write(`Disabled client ${id} (${name}) of tenant ${tenant}.\n\nList the clients of the tenant with:\n`)
      output.write(`  bin/millrace client list --tenant ${tenant}${storeFlagsText(flags)}\n`)
    })
}

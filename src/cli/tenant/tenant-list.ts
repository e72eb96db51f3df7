import { Command } from 'commander'
import { listTenants } from '../../access/registry/tenant.ts'
import { describeTenant } from '../../administration/tenants.ts'
import type { StoreFlags } from '../../config.ts'
import { recordsCountedMax } from '../../records/tenant-records.ts'
import { type Output, printJson, printTable, storeFlagsText } from '../output.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'
import { described, profileText } from './tenant-set.ts'

type Environment = Readonly<Record<string, string | undefined>>
interface Flags extends StoreFlags {
  readonly json?: boolean
}

/** `millrace tenant list`. */
export function tenantListCommand(environment: Environment, output: Output): Command {
  return withStoreOptions(new Command('list'))
    .description('list the tenants')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ bin/millrace tenant list --json')
    .action(async (flags: Flags) => {
      const tenants = await withDatabase(flags, environment, listTenants)
      if (flags.json) {
        return printJson(output, {
          tenants: tenants.map((tenant) => ({ ...described(tenant), created: tenant.created })),
        })
      }
      if (tenants.length === 0) {
        output.write(`There is no tenant. Add one with: bin/millrace tenant add TENANT${storeFlagsText(flags)}\n`)
        return
      }
      const rows = tenants.map((tenant) => [
        tenant.id,
        profileText(tenant),
        tenant.referenceWalk,
        tenant.created.toISOString(),
      ])
      printTable(output, ['TENANT', 'PROFILE', 'REFERENCES', 'CREATED'], rows)
    })
}

/** `millrace tenant show`. */
export function tenantShowCommand(environment: Environment, output: Output): Command {
  return withStoreOptions(new Command('show'))
    .description('show a tenant and what it has')
    .argument('<tenant>', 'its id')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ bin/millrace tenant show clinic')
    .action(async (id: string, flags: Flags) => {
      const found = await withDatabase(flags, environment, (pool) => describeTenant(pool, id))
      const { clients, records, liveJobs, completedJobs } = found
      const created = found.created.toISOString()
      if (flags.json) {
        const exports = { running: liveJobs, completed: completedJobs }
        return printJson(output, { ...described(found), created, clients, records, exports })
      }
      printTable(
        output,
        ['TENANT', id],
        [
          ['profile', profileText(found)],
          ['references', found.referenceWalk],
          ['created', created],
          ['clients', String(clients)],
          ['records', records === recordsCountedMax ? `${records} or more` : String(records)],
          ['exports', `${liveJobs} running, ${completedJobs} completed`],
        ],
      )
    })
}

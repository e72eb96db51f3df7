import { Command, Option } from 'commander'
import { addTenant, listTenants } from '../access/tenant.ts'
import type { StoreFlags } from '../config.ts'
import { profileNames } from '../export/profile.ts'
import { type Output, printJson, printTable, storeFlagsText } from './output.ts'
import { withStoreOptions } from './store-options.ts'
import { withDatabase } from './with-database.ts'

type Environment = Readonly<Record<string, string | undefined>>
interface Flags extends StoreFlags {
  readonly json?: boolean
}

/** `millrace tenant`: add and list tenants. */
export function tenantCommand(environment: Environment, output: Output = process.stdout): Command {
  return new Command('tenant')
    .description('add and list tenants: the organisations whose data are kept apart')
    .addCommand(addCommand(environment, output))
    .addCommand(listCommand(environment, output))
}

function addCommand(environment: Environment, output: Output): Command {
  const profile = new Option('--profile <name>', 'how requests are read and answered').choices(profileNames)
  return withStoreOptions(new Command('add'))
    .description('add a tenant')
    .argument('<tenant>', 'its id, the {tenant} segment of every URL')
    .addOption(profile.default('millennium'))
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ bin/millrace tenant add clinic --profile hl7')
    .action(async (id: string, flags: Flags & { readonly profile: string }) => {
      const tenant = await withDatabase(flags, environment, (pool) => addTenant(pool, { id, profile: flags.profile }))
      if (flags.json) return printJson(output, { tenant: tenant.id, profile: tenant.profile })
      output.write(`Added tenant ${tenant.id}, profile ${tenant.profile}.\n\n`)
      output.write('Next, load records and register a client:\n')
      const store = storeFlagsText(flags)
      output.write(`  bin/millrace load --tenant ${tenant.id} PATH${store}\n`)
      output.write(
        `  bin/millrace client add --tenant ${tenant.id} --name my-app --scope "system/*.read" --generate-key my-app.jwk.json${store}\n`,
      )
    })
}

function listCommand(environment: Environment, output: Output): Command {
  return withStoreOptions(new Command('list'))
    .description('list the tenants')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ bin/millrace tenant list --json')
    .action(async (flags: Flags) => {
      const tenants = await withDatabase(flags, environment, listTenants)
      if (flags.json) {
        return printJson(output, { tenants: tenants.map(({ id, ...rest }) => ({ tenant: id, ...rest })) })
      }
      if (tenants.length === 0) {
        output.write(`There is no tenant. Add one with: bin/millrace tenant add TENANT${storeFlagsText(flags)}\n`)
        return
      }
      const rows = tenants.map(({ id, profile, created }) => [id, profile, created.toISOString()])
      printTable(output, ['TENANT', 'PROFILE', 'CREATED'], rows)
    })
}

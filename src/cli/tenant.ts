import { Command, Option } from 'commander'
import { addTenant, listTenants, setReferenceWalk } from '../access/tenant.ts'
import type { StoreFlags } from '../config.ts'
import { profileNames, referenceWalks } from '../export/profile.ts'
import { type Output, printJson, printTable, storeFlagsText } from './output.ts'
import { withStoreOptions } from './store-options.ts'
import { withDatabase } from './with-database.ts'

type Environment = Readonly<Record<string, string | undefined>>
interface Flags extends StoreFlags {
  readonly json?: boolean
}

/** `millrace tenant`: add, set up and list tenants. */
export function tenantCommand(environment: Environment, output: Output = process.stdout): Command {
  return new Command('tenant')
    .description('add, set up and list tenants: the organisations whose data are kept apart')
    .addCommand(addCommand(environment, output))
    .addCommand(setCommand(environment, output))
    .addCommand(listCommand(environment, output))
}

const referencesOption = () =>
  new Option(
    '--references <way>',
    'referenced Locations, Organizations, Practitioners: of exported records, or of referenced ones too',
  ).choices(referenceWalks)

function addCommand(environment: Environment, output: Output): Command {
  const profile = new Option('--profile <name>', 'how requests are read and answered').choices(profileNames)
  return withStoreOptions(new Command('add'))
    .description('add a tenant')
    .argument('<tenant>', 'its id, the {tenant} segment of every URL')
    .addOption(profile.default('millennium'))
    .addOption(referencesOption().default('one-hop'))
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ bin/millrace tenant add clinic --profile hl7')
    .action(async (id: string, flags: Flags & { readonly profile: string; readonly references: string }) => {
      const { profile, references } = flags
      const tenant = await withDatabase(flags, environment, (pool) => addTenant(pool, { id, profile, references }))
      if (flags.json) return printJson(output, { tenant: tenant.id, profile, references })
      output.write(`Added tenant ${tenant.id}, profile ${tenant.profile}.\n\n`)
      output.write('Next, load records and register a client:\n')
      const store = storeFlagsText(flags)
      output.write(`  bin/millrace load --tenant ${tenant.id} PATH${store}\n`)
      output.write(
        `  bin/millrace client add --tenant ${tenant.id} --name my-app --scope "system/*.read" --generate-key my-app.jwk.json${store}\n`,
      )
    })
}

function setCommand(environment: Environment, output: Output): Command {
  return withStoreOptions(new Command('set'))
    .description('change how a tenant is served, for the exports to come')
    .argument('<tenant>', 'its id')
    .addOption(referencesOption().makeOptionMandatory())
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ bin/millrace tenant set clinic --references transitive')
    .action(async (id: string, flags: Flags & { readonly references: string }) => {
      const tenant = await withDatabase(flags, environment, (pool) => setReferenceWalk(pool, id, flags.references))
      const { profile, referenceWalk } = tenant
      if (flags.json) return printJson(output, { tenant: tenant.id, profile, references: referenceWalk })
      output.write(`Exports of tenant ${tenant.id} follow references ${referenceWalk}.\n`)
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
        return printJson(output, {
          tenants: tenants.map(({ id, referenceWalk, ...rest }) => ({
            tenant: id,
            references: referenceWalk,
            ...rest,
          })),
        })
      }
      if (tenants.length === 0) {
        output.write(`There is no tenant. Add one with: bin/millrace tenant add TENANT${storeFlagsText(flags)}\n`)
        return
      }
      const rows = tenants.map(({ id, profile, referenceWalk, created }) => [
        id,
        profile,
        referenceWalk,
        created.toISOString(),
      ])
      printTable(output, ['TENANT', 'PROFILE', 'REFERENCES', 'CREATED'], rows)
    })
}

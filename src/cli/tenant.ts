import { Command, Option } from 'commander'
import { addTenant, changeTenant, listTenants, type Tenant } from '../access/tenant.ts'
import type { StoreFlags } from '../config.ts'
import { profileNames, referenceWalks } from '../export/profile.ts'
import { Failure } from '../failure.ts'
import { type Output, printJson, printTable, storeFlagsText } from './output.ts'
import { withStoreOptions } from './store-options.ts'
import { withDatabase } from './with-database.ts'

type Environment = Readonly<Record<string, string | undefined>>
interface Flags extends StoreFlags {
  readonly json?: boolean
}

interface AddFlags {
  readonly profile: string
  readonly references: string
  readonly strict?: boolean
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

/** What `--strict` does, in one line of help. */
const strictMeans =
  'answer as Oracle documents and no wider: its 20 filter parameters with their rules, no wildcard scopes'

const profileText = ({ profile, strict }: Tenant): string => (strict ? `${profile}, strict` : profile)

const described = ({ id, profile, strict, referenceWalk }: Tenant) => ({
  tenant: id,
  profile,
  strict,
  references: referenceWalk,
})

function addCommand(environment: Environment, output: Output): Command {
  const profile = new Option('--profile <name>', 'how requests are read and answered').choices(profileNames)
  return withStoreOptions(new Command('add'))
    .description('add a tenant')
    .argument('<tenant>', 'its id, the {tenant} segment of every URL')
    .addOption(profile.default('millennium'))
    .option('--strict', strictMeans)
    .addOption(referencesOption().default('one-hop'))
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  $ bin/millrace tenant add clinic --profile hl7\n  $ bin/millrace tenant add oracle-test --strict',
    )
    .action(async (id: string, flags: Flags & AddFlags) => {
      const { profile, references, strict = false } = flags
      const added = { id, profile, references, strict }
      const tenant = await withDatabase(flags, environment, (pool) => addTenant(pool, added))
      if (flags.json) return printJson(output, described(tenant))
      output.write(`Added tenant ${tenant.id}, profile ${profileText(tenant)}.\n\n`)
      output.write('Next, load records and register a client:\n')
      const store = storeFlagsText(flags)
      output.write(`  bin/millrace load --tenant ${tenant.id} PATH${store}\n`)
      output.write(
        `  bin/millrace client add --tenant ${tenant.id} --name my-app --scope "${tenant.strict ? 'system/Patient.read system/Condition.read' : 'system/*.read'}" --generate-key my-app.jwk.json${store}\n`,
      )
    })
}

function setCommand(environment: Environment, output: Output): Command {
  return withStoreOptions(new Command('set'))
    .description('change how a tenant is served, for the exports to come')
    .argument('<tenant>', 'its id')
    .addOption(referencesOption())
    .option('--strict', strictMeans)
    .option('--no-strict', 'allow every filter parameter that the records support, and wildcard scopes')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  $ bin/millrace tenant set clinic --references transitive\n  $ bin/millrace tenant set clinic --strict',
    )
    .action(async (id: string, flags: Flags & { readonly references?: string; readonly strict?: boolean }) => {
      const { references, strict } = flags
      if (references === undefined && strict === undefined) {
        throw new Failure('There is nothing to change.', 'Give --references, --strict or --no-strict.')
      }
      const tenant = await withDatabase(flags, environment, (pool) => changeTenant(pool, id, { references, strict }))
      if (flags.json) return printJson(output, described(tenant))
      const served = `profile ${profileText(tenant)}; exports follow references ${tenant.referenceWalk}`
      output.write(`Tenant ${tenant.id} is served with ${served}.\n`)
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

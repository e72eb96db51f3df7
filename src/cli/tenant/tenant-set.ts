import { Command, Option } from 'commander'
import type { Tenant } from '../../access/registry/tenant.ts'
import { operator } from '../../administration/administer.ts'
import { reviseTenant } from '../../administration/tenants.ts'
import type { StoreFlags } from '../../config.ts'
import { Failure } from '../../failure.ts'
import { profileNames, referenceWalks } from '../../protocol/profile.ts'
import { type Output, printJson } from '../output.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'

interface Flags extends StoreFlags {
  readonly profile?: string
  readonly references?: string
  readonly strict?: boolean
  readonly json?: boolean
}

/** By which profile a tenant is served. */
export const profileOption = () =>
  new Option('--profile <name>', 'how requests are read and answered').choices(profileNames)

/** How far exports follow references. */
export const referencesOption = () =>
  new Option(
    '--references <way>',
    'referenced Locations, Organizations, Practitioners: of exported records, or of referenced ones too',
  ).choices(referenceWalks)

/** What `--strict` does, in one line of help. */
export const strictMeans =
  'answer as Oracle documents and no wider: its 20 filter parameters with their rules, no wildcard scopes'

/** The profile of a tenant, for people. */
export const profileText = ({ profile, strict }: Tenant): string => (strict ? `${profile}, strict` : profile)

/** How a tenant is served, for machines. */
export const described = ({ id, profile, strict, referenceWalk }: Tenant) => ({
  tenant: id,
  profile,
  strict,
  references: referenceWalk,
})

const help = `
Examples:
  $ bin/millrace tenant set clinic --references transitive
  $ bin/millrace tenant set clinic --strict
  $ bin/millrace tenant set clinic --profile hl7`

/** `millrace tenant set`. */
export function tenantSetCommand(environment: Readonly<Record<string, string | undefined>>, output: Output): Command {
  return withStoreOptions(new Command('set'))
    .description('change how a tenant is served, for the exports to come')
    .argument('<tenant>', 'its id')
    .addOption(profileOption())
    .addOption(referencesOption())
    .option('--strict', strictMeans)
    .option('--no-strict', 'allow every filter parameter that the records support, and wildcard scopes')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(async (id: string, flags: Flags) => {
      const { profile, references, strict } = flags
      if (profile === undefined && references === undefined && strict === undefined) {
        throw new Failure('There is nothing to change.', 'Give --profile, --references, --strict or --no-strict.')
      }
      const tenant = await withDatabase(flags, environment, (pool) =>
        reviseTenant(pool, operator(), id, { profile, references, strict }),
      )
      if (flags.json) return printJson(output, described(tenant))
      const served = `profile ${profileText(tenant)}; exports follow references ${tenant.referenceWalk}`
      output.write(`Tenant ${tenant.id} is served with ${served}.\n`)
    })
}

import { Command } from 'commander'
import { operator } from '../../administration/administer.ts'
import { createTenant } from '../../administration/tenants.ts'
import type { StoreFlags } from '../../config.ts'
import { type Output, printJson, storeFlagsText } from '../output.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'
import { described, profileOption, profileText, referencesOption, strictMeans } from './tenant-set.ts'

interface Flags extends StoreFlags {
  readonly profile: string
  readonly references: string
  readonly strict?: boolean
  readonly json?: boolean
}

/** `millrace tenant add`. */
export function tenantAddCommand(environment: Readonly<Record<string, string | undefined>>, output: Output): Command {
  return withStoreOptions(new Command('add'))
    .description('add a tenant')
    .argument('<tenant>', 'its id, the {tenant} segment of every URL')
    .addOption(profileOption().default('millennium'))
    .option('--strict', strictMeans)
    .addOption(referencesOption().default('one-hop'))
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  $ bin/millrace tenant add clinic --profile hl7\n  $ bin/millrace tenant add oracle-test --strict',
    )
    .action(async (id: string, flags: Flags) => {
      const { profile, references, strict = false } = flags
      const tenant = await withDatabase(
        flags,
        environment,
        (pool) => createTenant(pool, operator(), { id, profile, references, strict }),
        true,
      )
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

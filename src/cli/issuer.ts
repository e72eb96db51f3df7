import { readFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import {
  addTrustedIssuer,
  type IssuerCheck,
  issuerAlgorithmsDefault,
  listTrustedIssuers,
  removeTrustedIssuer,
  type TrustedIssuer,
} from '../access/issuers/trusted-issuer.ts'
import { type SignatureAlgorithm, signatureAlgorithms } from '../access/signature-algorithm.ts'
import { administer, operator, tenantEvent } from '../administration/administer.ts'
import type { StoreFlags } from '../config.ts'
import { readSetting } from '../database/setting.ts'
import { Failure } from '../failure.ts'
import { fhirBase, tokenIssuer } from '../fhir/service-urls.ts'
import { type Output, printJson, printTable, storeFlagsText } from './output.ts'
import { readPublicUrl } from './serve/public-url.ts'
import { withStoreOptions } from './store-options.ts'
import { withDatabase } from './with-database.ts'

type Environment = Readonly<Record<string, string | undefined>>
interface Flags extends StoreFlags {
  readonly tenant: string
  readonly json?: boolean
}
interface AddFlags extends Flags {
  readonly jwksUrl?: string
  readonly alg: readonly SignatureAlgorithm[]
  readonly introspectionUrl?: string
  readonly introspectionClient?: string
  readonly introspectionSecretFile?: string
  /** false: `--no-audience` */
  readonly audience?: string | false
  readonly foreignTenant?: string
  readonly publicUrl?: string
}

/** `millrace issuer`: authorization servers of others whose tokens a tenant takes. */
export function issuerCommand(environment: Environment, output: Output = process.stdout): Command {
  return new Command('issuer')
    .description('let a tenant take the tokens of another authorization server')
    .addCommand(addCommand(environment, output))
    .addCommand(listCommand(environment, output))
    .addCommand(removeCommand(environment, output))
}

const addHelp = `
Tokens must hold the audience in aud and system/ scopes in scope. Tokens that are shaped like Oracle's have neither: give
--no-audience, and the tenant that they name must be --foreign-tenant.

Examples:
  $ bin/millrace issuer add --tenant clinic https://login.example.org --jwks-url https://login.example.org/jwks

  Tokens that are shaped like Oracle's:
  $ bin/millrace issuer add --tenant clinic https://authorization.cerner.com/ --no-audience \\
      --jwks-url https://authorization.cerner.com/jwk --foreign-tenant ec2458f2-1e24-41c8-b71b-0e701af7583d

  Ask the issuer about each token (RFC 7662):
  $ bin/millrace issuer add --tenant clinic https://login.example.org \\
      --introspection-url https://login.example.org/introspect --introspection-client millrace \\
      --introspection-secret-file secret.txt`

function addCommand(environment: Environment, output: Output): Command {
  const algorithms = new Option('--alg <names...>', 'algorithms that its tokens may have').choices(signatureAlgorithms)
  return withStoreOptions(new Command('add'))
    .description('trust an issuer')
    .requiredOption('--tenant <id>', 'the tenant')
    .argument('<issuer>', 'the iss of its tokens, to the letter')
    .option('--jwks-url <url>', 'where it publishes its keys')
    .addOption(algorithms.default(issuerAlgorithmsDefault))
    .option('--introspection-url <url>', 'ask it about each token instead')
    .option('--introspection-client <id>', 'the client id to ask with')
    .option('--introspection-secret-file <file>', 'a file with the secret of that client, on one line')
    .option('--audience <uri>', "what aud must hold (default: the tenant's FHIR base)")
    .option('--no-audience', "its tokens have no aud; they name the tenant in Oracle's claims")
    .option('--foreign-tenant <id>', "how Oracle's claims name the tenant (default: as here)")
    .option('--public-url <url>', 'where clients reach the server (MILLRACE_PUBLIC_URL)')
    .option('--json', 'print one JSON object')
    .addHelpText('after', addHelp)
    .action(async (issuer: string, flags: AddFlags) => {
      const check = await checkOf(flags)
      const added = await withDatabase(flags, environment, async (pool) => {
        const { tenant } = flags
        const publicUrl = readPublicUrl(flags.publicUrl, environment, await readSetting(pool, 'public_url'))
        if (issuer === tokenIssuer(publicUrl, tenant)) {
          throw new Failure('This is the issuer of the tenant itself.', 'Its tokens are taken anyway.')
        }
        const audience = flags.audience === false ? undefined : (flags.audience ?? fhirBase(publicUrl, tenant))
        const added = { tenant, issuer, check, audience, foreignTenant: flags.foreignTenant ?? tenant }
        const event = tenantEvent(tenant, 'issuer trusted', { issuer })
        return administer(pool, operator(), event, (client) => addTrustedIssuer(client, added))
      })
      if (flags.json) return printJson(output, describe(added))
      const { audience, foreignTenant } = added
      const rule = audience === undefined ? `no aud, tenant ${foreignTenant} in Oracle's claims` : `aud ${audience}`
      output.write(`Tenant ${flags.tenant} takes tokens of ${issuer} (${rule}).\n\nTake that back with:\n`)
      output.write(`  bin/millrace issuer remove --tenant ${flags.tenant} ${issuer}${storeFlagsText(flags)}\n`)
    })
}

async function checkOf(flags: AddFlags): Promise<IssuerCheck> {
  const { jwksUrl, introspectionUrl, introspectionClient: client, introspectionSecretFile: file } = flags
  if ((jwksUrl === undefined) === (introspectionUrl === undefined)) {
    const advice = 'Give either --jwks-url URL, or --introspection-url URL with a client and the file of its secret.'
    throw new Failure('Its tokens have to be checked in one way.', advice)
  }
  if (jwksUrl !== undefined) return { kind: 'keys', url: jwksUrl, algorithms: flags.alg }
  if (client === undefined || file === undefined) {
    const advice = 'Give --introspection-client ID and --introspection-secret-file FILE.'
    throw new Failure('The client to ask with is not named.', advice)
  }
  return { kind: 'introspection', url: introspectionUrl!, client, secret: await readSecret(file) }
}

async function readSecret(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Failure(`The file ${file} cannot be read: ${code}.`, 'Name a file that holds the secret on one line.')
  }
}

/** The secret stays where it is. */
const describe = ({ tenant, issuer, check, audience, foreignTenant, created }: TrustedIssuer) => ({
  tenant,
  issuer,
  ...(check.kind === 'keys'
    ? { jwks_url: check.url, algorithms: check.algorithms }
    : { introspection_url: check.url, introspection_client: check.client }),
  audience: audience ?? null,
  foreign_tenant: foreignTenant,
  created: created.toISOString(),
})

function listCommand(environment: Environment, output: Output): Command {
  return withStoreOptions(new Command('list'))
    .description('list the issuers that a tenant trusts')
    .requiredOption('--tenant <id>', 'the tenant')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ bin/millrace issuer list --tenant clinic')
    .action(async (flags: Flags) => {
      const issuers = await withDatabase(flags, environment, (pool) => listTrustedIssuers(pool, flags.tenant))
      if (flags.json) return printJson(output, { tenant: flags.tenant, issuers: issuers.map(describe) })
      if (issuers.length === 0) {
        output.write(`Tenant ${flags.tenant} takes tokens of this server only.\n`)
        return
      }
      const rows = issuers.map(({ issuer, check, audience }) => [issuer, check.kind, check.url, audience ?? 'none'])
      printTable(output, ['ISSUER', 'CHECKED BY', 'URL', 'AUDIENCE'], rows)
    })
}

function removeCommand(environment: Environment, output: Output): Command {
  return withStoreOptions(new Command('remove'))
    .description('trust an issuer no more: its tokens are refused from the next request on')
    .requiredOption('--tenant <id>', 'the tenant')
    .argument('<issuer>', 'the issuer, as listed')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ bin/millrace issuer remove --tenant clinic https://login.example.org')
    .action(async (issuer: string, flags: Flags) => {
      await withDatabase(flags, environment, (pool) => {
        const event = tenantEvent(flags.tenant, 'issuer trusted no more', { issuer })
        return administer(pool, operator(), event, (client) => removeTrustedIssuer(client, flags.tenant, issuer))
      })
      if (flags.json) return printJson(output, { tenant: flags.tenant, issuer, removed: true })
      output.write(`Tenant ${flags.tenant} takes no more tokens of ${issuer}.\n`)
    })
}

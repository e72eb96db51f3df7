import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import type { Pool } from 'pg'
import { outboundBytesMax } from '../../access/issuers/outbound.ts'
import type { Client, Registration } from '../../access/registry/client.ts'
import { type ClientAlgorithm, clientAlgorithms, generateClientKey } from '../../access/registry/client-key.ts'
import { hashClientSecret, newClientSecret } from '../../access/registry/client-secret.ts'
import { withNewKeyFile } from '../../access/registry/new-key-file.ts'
import { operator } from '../../administration/administer.ts'
import { registerClient } from '../../administration/clients.ts'
import type { StoreFlags } from '../../config.ts'
import { readSetting } from '../../database/setting.ts'
import { Failure } from '../../failure.ts'
import { fhirBase, tokenEndpoint } from '../../fhir/service-urls.ts'
import { type Output, printJson, shellWord } from '../output.ts'
import { readPublicUrl } from '../serve/public-url.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'

interface AddFlags extends StoreFlags {
  readonly tenant: string
  readonly name: string
  readonly scope: string
  readonly generateKey?: string
  readonly alg: ClientAlgorithm
  readonly jwks?: string
  readonly secret?: boolean
  readonly publicUrl?: string
  readonly json?: boolean
}

const examples = `
Examples:
  A client whose key is made here; only the public half is stored:
  $ bin/millrace client add --tenant clinic --name nightly --scope "system/*.read" --generate-key nightly.jwk.json

  A client that publishes its keys, for Patients and laboratory results:
  $ bin/millrace client add --tenant clinic --name partner --jwks https://partner.example/jwks.json \\
      --scope "system/Patient.read system/Observation.rs?category=laboratory"

  A client that cannot sign, and sends a secret by HTTP Basic; the secret is shown once:
  $ bin/millrace client add --tenant clinic --name legacy --scope "system/*.read" --secret`

/** `millrace client add`: registers a client application with its public keys, or with a secret. */
export function clientAddCommand(environment: Readonly<Record<string, string | undefined>>, output: Output): Command {
  const algorithm = new Option('--alg <name>', 'algorithm of a generated key').choices(clientAlgorithms)
  return withStoreOptions(new Command('add'))
    .description('register a client application')
    .requiredOption('--tenant <id>', 'the tenant it belongs to')
    .requiredOption('--name <name>', 'its name, for people')
    .requiredOption('--scope <scopes>', 'the most it may ask for, such as "system/*.read"')
    .option('--generate-key <file>', 'make a key pair and write the private key to this new file')
    .addOption(algorithm.default('ES384'))
    .option('--jwks <file-or-url>', 'take its public keys from this key set')
    .option('--secret', 'make a secret for HTTP Basic, for a client that cannot sign')
    .option('--public-url <url>', 'where clients reach the server (MILLRACE_PUBLIC_URL)')
    .option('--json', 'print one JSON object')
    .addHelpText('after', examples)
    .action(async (flags: AddFlags) => {
      const source = await keySourceOf(flags)
      await withDatabase(flags, environment, async (pool) => {
        const publicUrl = readPublicUrl(flags.publicUrl, environment, await readSetting(pool, 'public_url'))
        const added = await register(pool, flags, source)
        if (flags.json) printJson(output, describe(added, publicUrl))
        else printNextSteps(output, added, publicUrl)
      })
    })
}

interface Added {
  readonly client: Client
  readonly key?: { readonly kid: string; readonly file: string }
  readonly secret?: string
}

/** How a new client, or one whose keys are rotated, shall authenticate. */
export type KeySource = { readonly newFile: string } | 'secret' | Registration['keys']

/** How a client shall authenticate. */
export async function keySourceOf({
  generateKey,
  jwks,
  secret,
}: Pick<AddFlags, 'generateKey' | 'jwks' | 'secret'>): Promise<KeySource> {
  const ways = [generateKey, jwks, secret].filter((way) => way !== undefined).length
  if (ways !== 1) {
    const advice = 'Give one of --generate-key FILE, --jwks FILE_OR_URL and --secret.'
    throw new Failure('The client needs one way of authentication.', advice)
  }
  if (generateKey !== undefined) return { newFile: resolve(generateKey) }
  return jwks === undefined ? 'secret' : readKeySource(jwks)
}

async function register(pool: Pool, flags: AddFlags, source: KeySource): Promise<Added> {
  const add = (keys: Registration['keys']) => registerClient(pool, operator(), { ...flags, keys })
  if (source === 'secret') {
    const secret = newClientSecret()
    return { client: await add({ secretHash: await hashClientSecret(secret) }), secret }
  }
  if (!('newFile' in source)) return { client: await add(source) }
  const file = source.newFile
  const { privateKey, publicKey } = await generateClientKey(flags.alg)
  const client = await withNewKeyFile(file, privateKey, () => add({ jwks: { keys: [publicKey] } }))
  return { client, key: { kid: String(publicKey.kid), file } }
}

async function readKeySource(source: string): Promise<Registration['keys']> {
  if (/^https?:\/\//i.test(source)) return { jwksUrl: source }
  const advice = 'Give a file with a JSON Web Key Set, or its https URL.'
  try {
    const { size } = await stat(source)
    if (size > outboundBytesMax) throw new Failure(`${source} is larger than ${outboundBytesMax} bytes.`, advice)
    return { jwks: JSON.parse(await readFile(source, 'utf8')) }
  } catch (error) {
    if (error instanceof Failure) throw error
    const reason = error instanceof SyntaxError ? 'it is not JSON' : (error as NodeJS.ErrnoException).code
    throw new Failure(`The key set ${source} cannot be read: ${reason}.`, advice)
  }
}

const describe = ({ client, key, secret }: Added, publicUrl: string) => ({
  client_id: client.id,
  tenant: client.tenant,
  name: client.name,
  scope: client.scopes.join(' '),
  ...(key ? { kid: key.kid, key_file: key.file } : {}),
  ...(secret === undefined ? {} : { client_secret: secret }),
  ...(client.keys.kind === 'url' ? { jwks_url: client.keys.url } : {}),
  fhir_base: fhirBase(publicUrl, client.tenant),
  token_endpoint: tokenEndpoint(publicUrl, client.tenant),
})

function printNextSteps(output: Output, added: Added, publicUrl: string): void {
  const { client, key, secret } = added
  const base = fhirBase(publicUrl, client.tenant)
  output.write(`Registered client ${client.name} of tenant ${client.tenant}.\n\n`)
  output.write(`  client id       ${client.id}\n  scope           ${client.scopes.join(' ')}\n`)
  if (key) output.write(`  key             ${key.file} (kid ${key.kid})\n`)
  if (client.keys.kind === 'url') output.write(`  keys            ${client.keys.url}\n`)
  if (secret !== undefined) output.write(`  client secret   ${secret}\n`)
  output.write(`  FHIR base       ${base}\n  token endpoint  ${tokenEndpoint(publicUrl, client.tenant)}\n`)
  if (client.keys.kind === 'url' && client.keys.url.startsWith('http:')) {
    output.write('\nThe server fetches keys over plain http only with --allow-private-addresses.\n')
  }
  if (secret !== undefined) {
    output.write(
      '\nThe secret is shown this once; only a hash of it is kept. curl asks for it and gets a token with:\n',
    )
    output.write(
      `  curl -u ${client.id} -d grant_type=client_credentials --data-urlencode ${shellWord(`scope=${client.scopes.join(' ')}`)} `,
    )
    output.write(`${tokenEndpoint(publicUrl, client.tenant)}\n`)
  }
  if (!key) return
  output.write(
    '\nThe file holds the private key, which is kept nowhere else. Get a token from the running server with:\n',
  )
  output.write(`  bin/millrace token --server ${base} --client-id ${client.id} --key ${shellWord(key.file)}\n`)
}

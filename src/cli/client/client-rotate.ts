import { Command, Option } from 'commander'
import type { Pool } from 'pg'
import type { Client, Registration } from '../../access/registry/client.ts'
import { type ClientAlgorithm, clientAlgorithms, generateClientKey } from '../../access/registry/client-key.ts'
import { hashClientSecret, newClientSecret } from '../../access/registry/client-secret.ts'
import { withNewKeyFile } from '../../access/registry/new-key-file.ts'
import { operator } from '../../administration/administer.ts'
import { rotateKeys } from '../../administration/clients.ts'
import type { StoreFlags } from '../../config.ts'
import { type Output, printJson } from '../output.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'
import { type KeySource, keySourceOf } from './client-add.ts'

interface Flags extends StoreFlags {
  readonly generateKey?: string
  readonly alg: ClientAlgorithm
  readonly jwks?: string
  readonly secret?: boolean
  readonly keepOld?: boolean
  readonly json?: boolean
}

const help = `
Assertions that are signed with a dropped key, and an old secret, are refused at once; tokens that were given before stay valid until they expire.

Examples:
  Two steps without an interruption: first both keys, then the new one alone:
  $ bin/millrace client rotate ID --generate-key new.jwk.json --keep-old
  $ bin/millrace client rotate ID --jwks new-set.json

  A key that was lost or stolen:
  $ bin/millrace client rotate ID --generate-key new.jwk.json`

/** `millrace client rotate`: gives a client other keys, or another secret. */
export function clientRotateCommand(
  environment: Readonly<Record<string, string | undefined>>,
  output: Output,
): Command {
  const algorithm = new Option('--alg <name>', 'algorithm of a generated key').choices(clientAlgorithms)
  return withStoreOptions(new Command('rotate'))
    .description('give a client other keys, or another secret')
    .argument('<client>', 'its client id')
    .option('--generate-key <file>', 'make a key pair and write the private key to this new file')
    .addOption(algorithm.default('ES384'))
    .option('--jwks <file-or-url>', 'take its public keys from this key set')
    .option('--secret', 'make a new secret for HTTP Basic')
    .option('--keep-old', 'keep the present keys beside the new ones')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(async (id: string, flags: Flags) => {
      const source = await keySourceOf(flags)
      const { client, secret } = await withDatabase(flags, environment, (pool) => rotate(pool, id, flags, source))
      const keys = keyNames(client)
      if (flags.json) {
        const shown = secret === undefined ? { keys } : { client_secret: secret }
        return printJson(output, { client_id: id, tenant: client.tenant, ...shown })
      }
      output.write(`Client ${id} (${client.name}) of tenant ${client.tenant} now has:\n`)
      for (const key of keys) output.write(`  ${key}\n`)
      if (secret !== undefined)
        output.write(`  the secret ${secret}\n\nIt is shown this once; only a hash of it is kept.\n`)
    })
}

interface Rotated {
  readonly client: Client
  readonly secret?: string
}

async function rotate(pool: Pool, id: string, flags: Flags, source: KeySource): Promise<Rotated> {
  const change = (keys: Registration['keys']) =>
    rotateKeys(pool, operator(), id, { keys, keepOld: flags.keepOld ?? false })
  if (source === 'secret') {
    const secret = newClientSecret()
    return { client: await change({ secretHash: await hashClientSecret(secret) }), secret }
  }
  return { client: await ('newFile' in source ? withGeneratedKey(source.newFile, flags.alg, change) : change(source)) }
}

function keyNames({ keys }: Client): readonly string[] {
  if (keys.kind === 'secret') return []
  return keys.kind === 'url' ? [keys.url] : keys.keys.map(({ kid }) => String(kid))
}

async function withGeneratedKey(
  file: string,
  algorithm: ClientAlgorithm,
  rotate: (keys: Registration['keys']) => Promise<Client>,
): Promise<Client> {
  const { privateKey, publicKey } = await generateClientKey(algorithm)
  return withNewKeyFile(file, privateKey, () => rotate({ jwks: { keys: [publicKey] } }))
}

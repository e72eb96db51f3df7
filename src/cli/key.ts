import { Command, InvalidArgumentError, Option } from 'commander'
import { type SigningAlgorithm, signingAlgorithms } from '../access/tokens/signing-key.ts'
import {
  listSigningKeys,
  removeSigningKey,
  rotateSigningKey,
  rotationSecondsMax,
  rotationSecondsMin,
  type SigningKeyInfo,
} from '../access/tokens/signing-key-rotation.ts'
import { administer, operator } from '../administration/administer.ts'
import { storeChain } from '../audit/entry.ts'
import type { StoreFlags } from '../config.ts'
import { type Output, printJson, printTable, storeFlagsText } from './output.ts'
import { withStoreOptions } from './store-options.ts'
import { withDatabase } from './with-database.ts'

type Environment = Readonly<Record<string, string | undefined>>
interface Flags extends StoreFlags {
  readonly json?: boolean
}

/** `millrace key`: the keys that sign access tokens. */
export function keyCommand(environment: Environment, output: Output = process.stdout): Command {
  return new Command('key')
    .description('list, rotate and remove the keys that sign access tokens')
    .addCommand(listCommand(environment, output))
    .addCommand(rotateCommand(environment, output))
    .addCommand(removeCommand(environment, output))
}

/** Signing keys are the store's, and so is the entry. */
const keyEvent = (change: string) => (key: SigningKeyInfo) => ({
  tenant: storeChain,
  kind: 'administration' as const,
  detail: { change, kid: key.kid },
})

const describe = (key: SigningKeyInfo) => ({
  kid: key.kid,
  algorithm: key.algorithm,
  state: key.state,
  created: key.created.toISOString(),
  signs_from: key.signsFrom.toISOString(),
  verifies_until: key.verifiesUntil?.toISOString() ?? null,
})

function listCommand(environment: Environment, output: Output): Command {
  return withStoreOptions(new Command('list'))
    .description('list the keys of the store')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ bin/millrace key list')
    .action(async (flags: Flags) => {
      const keys = (await withDatabase(flags, environment, listSigningKeys)).map(describe)
      if (flags.json) return printJson(output, { keys })
      if (keys.length === 0) {
        output.write('There is no key yet. The first server of the store makes one when it needs it.\n')
        return
      }
      const rows = keys.map((key) => [key.kid, key.algorithm, key.state, key.signs_from, key.verifies_until ?? ''])
      printTable(output, ['KID', 'ALGORITHM', 'STATE', 'SIGNS FROM', 'VERIFIES UNTIL'], rows)
    })
}

function rotateCommand(environment: Environment, output: Output): Command {
  const algorithm = new Option('--alg <name>', 'algorithm of the new key').choices(signingAlgorithms)
  const after = `seconds until the new key signs, ${rotationSecondsMin} to ${rotationSecondsMax}`
  const text = `
The new key is published at once (jwks_uri in the discovery document), so that others who verify our tokens can learn it
before it signs. Tokens of the old key stay valid until they expire. Servers that run need no restart.

Examples:
  $ bin/millrace key rotate
  $ bin/millrace key rotate --alg ES256 --after 172800`
  return withStoreOptions(new Command('rotate'))
    .description('let a new key take the place of the one that signs')
    .addOption(algorithm.default(signingAlgorithms[0]))
    .option('--after <seconds>', after, parseAfter, rotationSecondsMin)
    .option('--json', 'print one JSON object')
    .addHelpText('after', text)
    .action(async (flags: Flags & { readonly alg: SigningAlgorithm; readonly after: number }) => {
      const options = { algorithm: flags.alg, afterSeconds: flags.after }
      const key = describe(
        await withDatabase(flags, environment, (pool) =>
          administer(pool, operator(), keyEvent('signing key added'), (client) => rotateSigningKey(client, options)),
        ),
      )
      if (flags.json) return printJson(output, key)
      output.write(`Key ${key.kid} (${key.algorithm}) signs from ${key.signs_from} on.\n\nSee the keys with:\n`)
      output.write(`  bin/millrace key list${storeFlagsText(flags)}\n`)
    })
}

function removeCommand(environment: Environment, output: Output): Command {
  const text = `
A key that does not sign any more is removed by later rotations, when its last token has expired. Remove one by hand when
it has become known to somebody: rotate, wait until the new key signs, then remove the old one with --force.

Example:
  $ bin/millrace key remove --force rJ8dkJ3JcXtsR9YlN0Fvoo0DLyDX8lNcvEtE9bq0vJQ`
  return withStoreOptions(new Command('remove'))
    .description('remove a key that does not sign')
    .argument('<kid>', 'its kid')
    .option('--force', 'also if it has signed tokens that still live: they are refused within seconds')
    .option('--json', 'print one JSON object')
    .addHelpText('after', text)
    .action(async (kid: string, flags: Flags & { readonly force?: boolean }) => {
      const key = await withDatabase(flags, environment, (pool) =>
        administer(pool, operator(), keyEvent('signing key removed'), (client) =>
          removeSigningKey(client, kid, flags.force ?? false),
        ),
      )
      if (flags.json) return printJson(output, { kid: key.kid, removed: true })
      output.write(`Removed key ${key.kid} (it was ${key.state}).\n\nSee the keys with:\n`)
      output.write(`  bin/millrace key list${storeFlagsText(flags)}\n`)
    })
}

function parseAfter(text: string): number {
  const seconds = /^\d{1,7}$/.test(text) ? Number(text) : 0
  if (seconds >= rotationSecondsMin && seconds <= rotationSecondsMax) return seconds
  throw new InvalidArgumentError(`A new key signs after ${rotationSecondsMin} to ${rotationSecondsMax} seconds.`)
}

import { once } from 'node:events'
import { type FileHandle, open } from 'node:fs/promises'
import { Command } from 'commander'
import type { Pool } from 'pg'
import { administer, operator } from '../../administration/administer.ts'
import { auditEvent } from '../../audit/audit-event.ts'
import { storeChain } from '../../audit/entry.ts'
import { entriesSince } from '../../audit/search.ts'
import type { StoreFlags } from '../../config.ts'
import { readSetting } from '../../database/setting.ts'
import { Failure } from '../../failure.ts'
import { parseInstant } from '../../fhir/instant.ts'
import { defaultPublicUrl } from '../../fhir/service-urls.ts'
import type { Output } from '../output.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'

interface Flags extends StoreFlags {
  readonly tenant?: string
  readonly store?: boolean
  readonly since?: string
  readonly out?: string
}

const help = `
Each line is an R4 AuditEvent, oldest first. The export itself is recorded too.

Examples:
  $ bin/millrace audit export --tenant clinic --out audit.ndjson
  $ bin/millrace audit export --tenant clinic --since 2026-11-01T00:00:00Z | jq -r .recorded
  $ bin/millrace audit export --store --out store.ndjson`

/** `millrace audit export`: writes the entries of one chain as NDJSON. */
export function auditExportCommand(environment: Readonly<Record<string, string | undefined>>, output: Output): Command {
  return withStoreOptions(new Command('export'))
    .description('write the entries of a tenant, or of the store, as AuditEvents in NDJSON')
    .option('--tenant <id>', 'the entries of this tenant')
    .option('--store', 'the entries of no tenant: administration of the store, refused links')
    .option('--since <instant>', 'only entries from this time on, such as 2026-11-01T00:00:00Z')
    .option('--out <file>', 'write to this new file instead of standard output')
    .addHelpText('after', help)
    .action(async (flags: Flags) => {
      const chain = chainOf(flags)
      const since = sinceOf(flags)
      await withDatabase(flags, environment, async (pool) => {
        await checkChain(pool, chain)
        const event = { tenant: chain, kind: 'audit' as const, detail: { use: 'export' } }
        await administer(pool, operator(), event, async () => {})
        if (flags.out === undefined) await writeEntries(pool, chain, since, (line) => writeOut(output, line))
        else await writeFile(flags.out, (write) => writeEntries(pool, chain, since, write))
      })
    })
}

function chainOf({ tenant, store }: Flags): string {
  if (tenant !== undefined && !store) return tenant
  if (tenant === undefined && store) return storeChain
  throw new Failure('It is not said whose entries.', 'Give either --tenant TENANT or --store.')
}

function sinceOf({ since }: Flags): number | undefined {
  const ms = since === undefined ? undefined : parseInstant(since)
  if (since === undefined || ms !== undefined) return ms
  throw new Failure(
    `"${since}" is no instant.`,
    'Write --since with date, time and zone, such as 2026-11-01T00:00:00Z.',
  )
}

/** A tenant that was removed has its chain still. */
async function checkChain(pool: Pool, chain: string): Promise<void> {
  const { rowCount } = await pool.query('select from audit_head where tenant = $1', [chain])
  if (rowCount === 0 && chain !== storeChain) {
    throw new Failure(`There are no entries of a tenant "${chain}".`, 'List the tenants with: bin/millrace tenant list')
  }
}

async function writeEntries(
  pool: Pool,
  chain: string,
  since: number | undefined,
  write: (line: string) => Promise<void>,
): Promise<void> {
  const site = (await readSetting(pool, 'public_url')) ?? defaultPublicUrl
  for await (const entry of entriesSince(pool, chain, since))
    await write(`${JSON.stringify(auditEvent(entry, site))}\n`)
}

/** Waits when the reader of standard output is slower than the database: a trail may be longer than memory. */
async function writeOut(output: Output, line: string): Promise<void> {
  if (output.write(line) === false && output === process.stdout) await once(process.stdout, 'drain')
}

/** Writes a new file that only its owner may read. */
async function writeFile(path: string, work: (write: (line: string) => Promise<void>) => Promise<void>): Promise<void> {
  let file: FileHandle
  try {
    file = await open(path, 'wx', 0o600)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reason = code === 'EEXIST' ? 'exists already' : `cannot be written (${code})`
    throw new Failure(`The file ${path} ${reason}.`, 'Name a new file with --out.', { cause: error })
  }
  try {
    await work(async (line) => void (await file.write(line)))
    await file.sync()
  } finally {
    await file.close()
  }
}

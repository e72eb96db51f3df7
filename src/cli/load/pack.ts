import { setTimeout as pause } from 'node:timers/promises'
import { Command } from 'commander'
import type { Pool } from 'pg'
import { findTenant, listTenants } from '../../access/registry/tenant.ts'
import type { StoreFlags } from '../../config.ts'
import { Failure } from '../../failure.ts'
import { dropAllPacks } from '../../records/packs/drop-packs.ts'
import { packInForeground } from '../../records/packs/foreground-packing.ts'
import { countChanged } from '../../records/packs/marks.ts'
import { type PackCounts, packChanged } from '../../records/packs/packer.ts'
import { type Output, printJson } from '../output.ts'
import { progressBar } from '../progress-bar.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'

type Environment = Readonly<Record<string, string | undefined>>
interface Flags extends StoreFlags {
  readonly tenant?: string
  readonly rebuild?: boolean
  readonly json?: boolean
}

const help = `
Packs are the records of a patient, compressed once, which exports copy. The server makes them by itself soon after records have
changed, and load makes them at its end; this command makes them now. It is safe at any time, also while a server runs.

Examples:
  $ bin/millrace pack
  $ bin/millrace pack --tenant clinic --json
  $ bin/millrace pack --rebuild                  drops all packs first and makes them again`

/** `millrace pack`: packs what has changed, now. */
export function packCommand(environment: Environment, output: Output = process.stdout): Command {
  return withStoreOptions(new Command('pack'))
    .description('pack changed records now, so that exports can copy them')
    .option('--tenant <tenant>', 'only the records of this tenant')
    .option('--rebuild', 'drop all packs and make them again')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(async (flags: Flags) => {
      const started = performance.now()
      const counts = await withDatabase(flags, environment, async (pool) => {
        const { tenant } = flags
        if (tenant !== undefined && !(await findTenant(pool, tenant)))
          throw new Failure(`There is no tenant ${tenant}.`, 'See which there are with: bin/millrace tenant list')
        return packInForeground(pool, async () => {
          if (flags.rebuild)
            for (const { id } of await listTenants(pool))
              if (tenant === undefined || id === tenant) await dropAllPacks(pool, id)
          return packWithProgress(pool, tenant, flags.json ?? false)
        })
      })
      const seconds = (performance.now() - started) / 1000
      if (flags.json) return printJson(output, { ...counts, seconds: Number(seconds.toFixed(3)) })
      output.write(`${packedText(counts)} in ${seconds.toFixed(1)} s.\n`)
    })
}

/** How long records are left alone while more of them are being loaded, and how long to wait when there is nothing else to pack. */
const settledMs = 1_000

/**
 * Packs what has settled for as long as a load goes on: what is left at its end is little.
 * @param busy whether somebody makes packs of what is loaded: then they are not to be made twice
 */
export async function packMeanwhile(
  pool: Pool,
  tenant: string,
  loading: Promise<unknown>,
  busy: () => boolean,
): Promise<void> {
  let over = false
  const end = loading
    .catch(() => {})
    .finally(() => {
      over = true
    })
  while (!over) {
    const { changed } = busy() ? { changed: 0 } : await packChanged(pool, { tenant, settledMs }, () => !over && !busy())
    if (changed === 0) await Promise.race([end, pause(settledMs, undefined, { ref: false })])
  }
}

/** Packs everything that has changed, with a progress bar. */
export async function packWithProgress(pool: Pool, tenant: string | undefined, quiet: boolean): Promise<PackCounts> {
  const bar = progressBar('Packing', await countChanged(pool, tenant), quiet)
  try {
    return await packChanged(pool, { ...(tenant === undefined ? {} : { tenant }), settledMs: 0 }, (counts) => {
      bar.update(counts.changed, `${counts.records} records`)
      return true
    })
  } finally {
    bar.stop()
  }
}

/** For people: what was packed. */
function packedText({ packs, records, bytes, packed }: PackCounts): string {
  if (packs === 0) return 'Nothing had to be packed'
  const megabytes = (size: number) => `${(size / 1e6).toFixed(1)} MB`
  return `Packed ${records} records into ${packs} packs: ${megabytes(bytes)} became ${megabytes(packed)}`
}

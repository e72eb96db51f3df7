import { Command } from 'commander'
import { findTenant } from '../../access/registry/tenant.ts'
import type { StoreFlags } from '../../config.ts'
import { readSetting } from '../../database/setting.ts'
import { Failure } from '../../failure.ts'
import { defaultPublicUrl, fhirBase } from '../../fhir/service-urls.ts'
import type { LoadCounts, LoadFault } from '../../records/load/load.ts'
import { type LoadingReport, loadInThread } from '../../records/load/load-in-thread.ts'
import { findSourceFiles } from '../../records/load/source-files.ts'
import { packInForeground } from '../../records/packs/foreground-packing.ts'
import { type Output, printJson } from '../output.ts'
import { progressBar } from '../progress-bar.ts'
import { readPublicUrl } from '../serve/public-url.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'
import { recordLoad } from './load-audit.ts'
import { packMeanwhile, packWithProgress } from './pack.ts'

type Environment = Readonly<Record<string, string | undefined>>
interface Flags extends StoreFlags {
  readonly tenant: string
  readonly publicUrl?: string
  readonly keepLastUpdated?: boolean
  readonly json?: boolean
}

/** Lines about faults that are shown or listed; the rest are counted. */
const faultsListedMax = 1_000

/** Exit code when some of the data could not be loaded and the rest was. */
const exitWithFaults = 2

const help = `
Loads .ndjson, .ndjson.gz and .json (Bundles or single resources), files and whole folders. Loading the same data again changes
nothing. Records are packed as they come, so that exports can copy them. A line that cannot be loaded is reported, everything else is loaded, and the exit code is ${exitWithFaults}.

Examples:
  $ bin/millrace load --tenant clinic ./export
  $ bin/millrace load --tenant clinic Patient.ndjson.gz Condition.ndjson --keep-last-updated
  $ bin/millrace load --tenant clinic bundles/ --json`

/** `millrace load`: puts files into the store. */
export function loadCommand(environment: Environment, output: Output = process.stdout): Command {
  return withStoreOptions(new Command('load'))
    .description('load NDJSON files and Bundles into a tenant')
    .argument('<path...>', 'files and folders')
    .requiredOption('--tenant <tenant>', 'the tenant the records belong to')
    .option('--keep-last-updated', "keep the source's meta.lastUpdated for _since")
    .option(
      '--public-url <url>',
      "the server's public URL: absolute references under it are local (MILLRACE_PUBLIC_URL)",
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(async (paths: string[], flags: Flags) => {
      const files = await findSourceFiles(paths)
      const result = await withDatabase(flags, environment, async (pool, connection) => {
        if (!(await findTenant(pool, flags.tenant))) {
          throw new Failure(
            `There is no tenant ${flags.tenant}.`,
            `Add it with: bin/millrace tenant add ${flags.tenant}`,
          )
        }
        const known = flags.publicUrl ?? (environment.MILLRACE_PUBLIC_URL || (await readSetting(pool, 'public_url')))
        const base = fhirBase(readPublicUrl(known ?? defaultPublicUrl, environment), flags.tenant)
        const options = { bases: [base], keepLastUpdated: flags.keepLastUpdated ?? false }
        const data = { connection, tenant: flags.tenant, files, options }
        const started = performance.now()
        const load = () => loadWithProgress(flags, (report) => loadInThread(data, report), files)
        return packInForeground(pool, async () => {
          const loading = recordLoad(pool, flags, load)
          const packing = packMeanwhile(pool, flags.tenant, loading)
          packing.catch(() => {})
          const loaded = await loading
          await packing
          await packWithProgress(pool, flags.tenant, flags.json ?? false)
          return { ...loaded, seconds: (performance.now() - started) / 1000 }
        })
      })
      report(output, flags, result)
      if (result.counts.faults > 0) process.exitCode = exitWithFaults
    })
}

interface Loaded {
  readonly counts: LoadCounts
  readonly faults: readonly LoadFault[]
}

interface LoadResult extends Loaded {
  readonly seconds: number
}

async function loadWithProgress(
  flags: Flags,
  run: (report: LoadingReport) => Promise<LoadCounts>,
  files: readonly { readonly bytes: number }[],
): Promise<Loaded> {
  const faults: LoadFault[] = []
  const bar = progressBar(
    'Loading',
    files.reduce((sum, { bytes }) => sum + bytes, 0),
    flags.json ?? false,
  )
  try {
    const counts = await run({
      onFault: (fault) => {
        if (faults.length < faultsListedMax) faults.push(fault)
      },
      onBatch: (bytes, { created, updated, unchanged }) =>
        bar.update(bytes, `${created + updated + unchanged} records`),
    })
    return { counts, faults }
  } finally {
    bar.stop()
  }
}

function report(output: Output, flags: Flags, { counts, faults, seconds }: LoadResult): void {
  const records = counts.created + counts.updated + counts.unchanged
  if (flags.json) {
    printJson(output, {
      tenant: flags.tenant,
      records,
      ...counts,
      seconds: Number(seconds.toFixed(3)),
      fault_list: faults,
    })
    return
  }
  for (const { file, place, reason } of faults) process.stderr.write(`${file}, ${place}: ${reason}\n`)
  if (counts.faults > faults.length) process.stderr.write(`… and ${counts.faults - faults.length} more.\n`)
  const rate = Math.round(records / Math.max(seconds, 0.001))
  output.write(
    `Loaded ${records} records into tenant ${flags.tenant}: ${counts.created} new, ${counts.updated} changed, ` +
      `${counts.unchanged} unchanged, and packed them, in ${seconds.toFixed(1)} s (${rate} records/s).\n`,
  )
  if (counts.faults > 0)
    output.write(`${counts.faults} could not be loaded; they are listed above. Mend them and load again.\n`)
}

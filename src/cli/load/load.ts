import { Command } from 'commander'
import { findTenant } from '../../access/registry/tenant.ts'
import type { StoreFlags } from '../../config.ts'
import { readSetting } from '../../database/setting.ts'
import { Failure } from '../../failure.ts'
import { defaultPublicUrl, fhirBase } from '../../fhir/service-urls.ts'
import { type LoadingReport, loadInThread } from '../../records/load/load-in-thread.ts'
import type { LoadFault, LoadSummary } from '../../records/load/load-tally.ts'
import { type FoundFiles, findSourceFiles } from '../../records/load/source/source-files.ts'
import { packInForeground } from '../../records/packs/foreground-packing.ts'
import { FreshPacks } from '../../records/packs/fresh/fresh-packs.ts'
import type { Output } from '../output.ts'
import { progressBar } from '../progress-bar.ts'
import { readPublicUrl } from '../serve/public-url.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'
import { recordLoad } from './load-audit.ts'
import { printSummary, printSummaryJson } from './load-summary.ts'
import { packMeanwhile, packWithProgress } from './pack.ts'

type Environment = Readonly<Record<string, string | undefined>>
interface Flags extends StoreFlags {
  readonly tenant: string
  readonly publicUrl?: string
  readonly sourceBase?: readonly string[]
  readonly keepLastUpdated?: boolean
  readonly keepBundles?: boolean
  readonly json?: boolean
}

/** Lines about faults that are shown or listed; the rest are counted. */
const faultsListedMax = 1_000

/** Exit code when some of the data could not be loaded and the rest was. */
const exitWithFaults = 2

const help = `
Loads NDJSON, single resources and Bundles, gzipped or not: files, whole folders, or - for standard input. What a file is its content
says. Loading the same data again changes nothing. What cannot be loaded is reported, everything else is loaded, and the exit code is ${exitWithFaults}.

Bundles are taken apart. A POST gives its entry an id of its own: the UUID of its fullUrl, or one that only this entry gets. References
by fullUrl and by identifier (Practitioner?identifier=system|value) are resolved, the latter at the end of the load, so that the order
does not matter. DELETE deletes, so the deleted files of an export can be loaded.

Examples:
  $ bin/millrace load --tenant clinic ./export
  $ bin/millrace load --tenant clinic Patient.ndjson.gz Condition.ndjson --keep-last-updated
  $ bin/millrace load --tenant clinic ./synthea/fhir                          patients, hospitals and practitioners, in any order
  $ bin/millrace load --tenant clinic ./from-ehr --source-base https://ehr.example.org/fhir
  $ zcat big.ndjson.gz | bin/millrace load --tenant clinic - --json`

/** `millrace load`: puts files into the store. */
export function loadCommand(environment: Environment, output: Output = process.stdout): Command {
  return withStoreOptions(new Command('load'))
    .description('load NDJSON files and Bundles into a tenant')
    .argument('<path...>', 'files, folders, - for standard input')
    .requiredOption('--tenant <tenant>', 'the tenant the records belong to')
    .option(
      '--keep-last-updated',
      "keep the source's meta.lastUpdated for _since; what is older than what is there is left alone",
    )
    .option('--keep-bundles', 'store Bundles that have an id as records, and do not take them apart')
    .option(
      '--source-base <url>',
      'a FHIR base of the server the data come from: absolute references under it are local, and become Type/id; may be repeated',
      (url: string, urls: readonly string[] = []) => [...urls, readSourceBase(url)],
    )
    .option(
      '--public-url <url>',
      "the server's public URL: absolute references under it are local (MILLRACE_PUBLIC_URL)",
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(async (paths: string[], flags: Flags) => {
      const found = await findSourceFiles(paths)
      const result = await withDatabase(flags, environment, async (pool, connection) => {
        if (!(await findTenant(pool, flags.tenant))) {
          throw new Failure(
            `There is no tenant ${flags.tenant}.`,
            `Add it with: bin/millrace tenant add ${flags.tenant}`,
          )
        }
        const known = flags.publicUrl ?? (environment.MILLRACE_PUBLIC_URL || (await readSetting(pool, 'public_url')))
        const base = fhirBase(readPublicUrl(known ?? defaultPublicUrl, environment), flags.tenant)
        const { sourceBase: sourceBases = [], keepLastUpdated = false, keepBundles = false } = flags
        const options = { bases: [base], sourceBases, keepLastUpdated, keepBundles }
        const data = { connection, tenant: flags.tenant, files: found.files, options }
        const started = performance.now()
        const fresh = new FreshPacks(pool)
        const run: Load = (report) =>
          loadInThread(data, { ...report, onWritten: (rows, release) => fresh.add(rows, release) })
        const load = () => loadWithProgress(flags, run, found)
        return packInForeground(pool, async () => {
          const loading = recordLoad(pool, flags, load)
          const packing = packMeanwhile(pool, flags.tenant, loading, () => fresh.isAtWork())
          packing.catch(() => {})
          const loaded = await loading
          await packing
          await fresh.finish()
          await packWithProgress(pool, flags.tenant, flags.json ?? false)
          return { ...loaded, seconds: (performance.now() - started) / 1000 }
        })
      })
      const print = flags.json ? printSummaryJson : printSummary
      print(output, flags.tenant, result)
      if (result.summary.counts.faults > 0) process.exitCode = exitWithFaults
    })
}

/** @throws Failure for what is no URL */
function readSourceBase(url: string): string {
  if (/^https?:\/\/[^\s?#]+$/.test(url)) return url.replace(/\/+$/, '')
  throw new Failure(
    `${url} is not a FHIR base.`,
    'Give the URL that stands before Type/id: https://ehr.example.org/fhir',
  )
}

type Load = (report: Omit<LoadingReport, 'onWritten'>) => Promise<LoadSummary>

async function loadWithProgress(
  flags: Flags,
  run: Load,
  found: FoundFiles,
): Promise<{ readonly summary: LoadSummary; readonly faults: readonly LoadFault[] }> {
  const faults: LoadFault[] = found.unreadable
    .slice(0, faultsListedMax)
    .map(({ path, reason }) => ({ file: path, place: '', reason }))
  const bar = progressBar(
    'Loading',
    found.files.reduce((sum, { bytes }) => sum + bytes, 0),
    flags.json ?? false,
  )
  try {
    const summary = await run({
      onFault: (fault) => {
        if (faults.length < faultsListedMax) faults.push(fault)
      },
      onBatch: (bytes, { created, updated, unchanged }) =>
        bar.update(bytes, `${created + updated + unchanged} records`),
    })
    return { summary: withFound(summary, found), faults }
  } finally {
    bar.stop()
  }
}

/** What was seen while files were looked for belongs to the load too. */
function withFound(summary: LoadSummary, { passedOver, unreadable }: FoundFiles): LoadSummary {
  const { counts, passedOver: later } = summary
  return {
    ...summary,
    counts: { ...counts, faults: counts.faults + unreadable.length },
    passedOver: { count: passedOver.count + later.count, first: [...passedOver.first, ...later.first] },
  }
}

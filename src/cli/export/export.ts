import { readFile, stat } from 'node:fs/promises'
import { Command } from 'commander'
import { DefectiveExport, type ExportOptions, runExport } from '../../client/export.ts'
import { parallelDownloadsDefault, patientsFileBytesMax } from '../../client/limits.ts'
import { parsePatients, patientId } from '../../client/order.ts'
import type { ExportEvent, ExportSummary } from '../../client/report.ts'
import { readKeyFile } from '../../client/session/key-file.ts'
import { plainText } from '../../client/session/outcome.ts'
import type { Credentials } from '../../client/session/token-source.ts'
import { Failure } from '../../failure.ts'
import { type Output, printJson } from '../output.ts'
import { openDisplay } from './export-display.ts'
import { describeSummary } from './export-summary.ts'

interface ExportFlags {
  readonly server: string
  readonly clientId?: string
  readonly key?: string
  readonly tokenEndpoint?: string
  readonly scope?: string
  readonly trustOrigin?: readonly string[]
  readonly patient?: readonly string[]
  readonly patientsFile?: string
  readonly group?: string
  readonly type?: readonly string[]
  readonly typeFilter?: readonly string[]
  readonly since?: string
  readonly includeAssociatedData?: readonly string[]
  readonly out: string
  readonly gzip?: boolean
  readonly parallel: string
  readonly deleteAfter?: boolean
  readonly json?: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

const help = `
Running the same command again continues an export that was stopped or broke off. The exit code is 0 when every file has been
verified, 2 when something is wrong with them, 130 after Ctrl-C.

Examples:
  $ bin/millrace export --server https://host/r4/clinic --client-id ID --key key.json --patient 12783127 --out ./export
  $ bin/millrace export --server … --client-id ID --key key.json --patients-file cohort.txt --type Condition,Provenance \\
      --type-filter "Condition?category=problem-list-item" --since 2021-03-18T19:19:42Z --out ./changes --delete-after --json`

/** `millrace export`: the Bulk Data client. Progress goes to standard error, the summary to `output`. */
export function exportCommand(environment: Environment, output: Output = process.stdout): Command {
  return new Command('export')
    .description('export records of patients from any FHIR Bulk Data server into NDJSON files')
    .requiredOption('--server <base>', 'FHIR base of the server, such as https://host/r4/tenant')
    .option('--client-id <id>', 'registered client; leave out with --key for an open server')
    .option('--key <file>', "the client's private key, a JWK")
    .option('--token-endpoint <url>', 'where tokens are given (default: what the server advertises)')
    .option('--scope <scopes>', 'scopes to ask for (default: read of the types named by --type, else of all)')
    .option('--trust-origin <url...>', 'another origin that may see the token, such as a file server')
    .option('--patient <id...>', 'patients to export')
    .option('--patients-file <file>', 'file with one patient id a line, at most 20,000')
    .option('--group <id>', 'export the members of a Group instead')
    .option('--type <type...>', 'resource types (default: all that the client may read)')
    .option('--type-filter <query...>', 'narrow a type, as in "Condition?category=problem-list-item"')
    .option('--since <instant>', 'only records changed after it, such as the transaction time of the last export')
    .option('--include-associated-data <value...>', 'LatestProvenanceResources or RelevantProvenanceResources')
    .requiredOption('--out <dir>', 'new directory for the files; one with an unfinished export is continued')
    .option('--gzip', 'keep the files compressed, as .ndjson.gz')
    .option('--parallel <n>', 'downloads at a time', String(parallelDownloadsDefault))
    .option('--delete-after', 'delete the export on the server when every file has been verified')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action((flags: ExportFlags) => runCommand(flags, environment, output))
}

async function runCommand(flags: ExportFlags, environment: Environment, output: Output): Promise<void> {
  const interrupted = new AbortController()
  const options = await readOptions(flags, interrupted.signal)
  const display = openDisplay(process.stderr, process.stderr.isTTY === true && environment.TERM !== 'dumb')
  let job: string | undefined
  const report = (event: ExportEvent): void => {
    if (event.kind === 'job') job = event.statusUrl
    display.report(event)
  }
  const onSignal = (name: NodeJS.Signals) => interrupted.abort(name)
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  const print = (summary: ExportSummary) =>
    flags.json ? printJson(output, summary) : output.write(describeSummary(summary))
  try {
    const summary = await runExport(options, report)
    display.close()
    print(summary)
  } catch (error) {
    display.close()
    if (error instanceof DefectiveExport) print(error.summary)
    throw interrupted.signal.aborted ? interruption(interrupted.signal.reason, job) : error
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

async function readOptions(flags: ExportFlags, signal: AbortSignal): Promise<ExportOptions> {
  return {
    base: flags.server,
    credentials: await readCredentials(flags),
    order: {
      selection: await readSelection(flags),
      types: splitList(flags.type),
      typeFilters: flags.typeFilter ?? [],
      since: flags.since,
      includeAssociatedData: splitList(flags.includeAssociatedData),
    },
    directory: flags.out,
    gzip: flags.gzip ?? false,
    parallel: Number(flags.parallel),
    deleteAfter: flags.deleteAfter ?? false,
    trustedOrigins: flags.trustOrigin ?? [],
    signal,
  }
}

async function readCredentials({ clientId, key, scope, tokenEndpoint }: ExportFlags): Promise<Credentials | undefined> {
  if (clientId === undefined && key === undefined) return undefined
  if (clientId === undefined || key === undefined) {
    throw new Failure('--client-id and --key belong together.', 'Give both, or neither for an open server.')
  }
  return { clientId, key: await readKeyFile(key), scope, tokenEndpoint }
}

async function readSelection(flags: ExportFlags): Promise<ExportOptions['order']['selection']> {
  const { patient, patientsFile, group } = flags
  if (group !== undefined) {
    if (patient === undefined && patientsFile === undefined) return { group }
    throw new Failure('--group names the patients already.', 'Give either --group, or --patient and --patients-file.')
  }
  const listed = patientsFile === undefined ? [] : parsePatients(await readPatientsFile(patientsFile))
  return { patients: [...new Set([...splitList(patient).map(patientId), ...listed])] }
}

async function readPatientsFile(path: string): Promise<string> {
  const { size } = await stat(path).catch((error: Error) => {
    throw new Failure(`${path} cannot be read: ${error.message}`, 'Check --patients-file.')
  })
  if (size <= patientsFileBytesMax) return readFile(path, 'utf8')
  throw new Failure(
    `${path} is larger than ${patientsFileBytesMax} bytes.`,
    'Give one patient id a line, at most 20,000.',
  )
}

/** Lists may be repeated options, values in a row, or joined by commas. */
const splitList = (values: readonly string[] = []): string[] => [
  ...new Set(
    values
      .flatMap((value) => value.split(','))
      .map((value) => value.trim())
      .filter(Boolean),
  ),
]

function interruption(signal: unknown, job: string | undefined): Failure {
  const exitCode = signal === 'SIGTERM' ? 143 : 130
  if (job === undefined) return new Failure('Stopped before the export began.', 'Run the command again.', { exitCode })
  return new Failure(
    `Stopped. The export goes on at the server: ${plainText(job)}`,
    'Run the same command again to continue, or cancel it with DELETE on that URL.',
    { exitCode },
  )
}

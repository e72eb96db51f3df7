import { resolve } from 'node:path'
import { Command } from 'commander'
import { Failure } from '../../failure.ts'
import { pagePatientIds } from '../../population/page-patients.ts'
import { population } from '../../population/population.ts'
import { patientsMax } from '../../population/record-ids.ts'
import {
  heavyObservationsMax,
  heavyObservationsMin,
  heavyPatientId,
  type PopulationOptions,
  seedMax,
} from '../../population/seat.ts'
import { openEmptyDirectory, type WrittenFile, writeFiles } from '../../population/write-files.ts'
import { formatBytes, formatCount } from '../export/export-summary.ts'
import { type Output, printJson, printTable, shellWord } from '../output.ts'
import { progressBar } from '../progress-bar.ts'

interface Flags {
  readonly patients: string
  readonly seed: string
  readonly out: string
  readonly gzip?: boolean
  readonly heavyPatient?: string
  readonly pagePatients?: boolean
  readonly types: string
  readonly json?: boolean
}

const help = `
Writes one NDJSON file for each resource type into an empty or new directory. The same options always give the same bytes.

Examples:
  $ bin/millrace generate --patients 200 --seed 1 --out population
  $ bin/millrace generate --patients 100000 --seed 7 --out population --gzip
  $ bin/millrace generate --patients 10 --seed 1 --out population --page-patients --heavy-patient 50000
  $ bin/millrace generate --patients 50 --seed 1 --out population --types all
  $ bin/millrace generate --patients 50 --seed 1 --out population --json`

/** `millrace generate`: writes a synthetic population to files. */
export function generateCommand(output: Output = process.stdout): Command {
  return new Command('generate')
    .description('write a synthetic patient population to NDJSON files')
    .requiredOption('--patients <count>', `how many patients (at most ${formatCount(patientsMax)})`)
    .requiredOption('--out <dir>', 'directory to write to: empty, or not there yet')
    .option('--seed <number>', 'which population: a whole number', '1')
    .option('--gzip', 'compress the files')
    .option('--heavy-patient <count>', `add patient ${heavyPatientId} with this many observations`)
    .option('--page-patients', `make the first patients ${pagePatientIds.join(', ')}, with their Groups`)
    .option(
      '--types <which>',
      '"documented": those that Oracle exports, Group and Binary; "all": orders, insurance, dispensing, relatives and others too',
      'documented',
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(async (flags: Flags) => {
      const options = readOptions(flags)
      const directory = resolve(flags.out)
      await openEmptyDirectory(directory)
      const started = performance.now()
      const files = await writeWithProgress(options, directory, flags)
      const seconds = (performance.now() - started) / 1000
      if (flags.json) printJson(output, describe(directory, options, files, seconds))
      else printSummary(output, flags, options, files, seconds)
    })
}

function readOptions(flags: Flags): PopulationOptions {
  const { heavyPatient, pagePatients, types } = flags
  if (types !== 'documented' && types !== 'all')
    throw new Failure(`--types ${shellWord(types)} is not possible.`, 'Give --types documented or --types all.')
  const patientsMin = pagePatients ? pagePatientIds.length : 1
  return {
    patients: wholeNumber('--patients', flags.patients, patientsMin, patientsMax),
    seed: wholeNumber('--seed', flags.seed, 0, seedMax),
    ...(pagePatients && { pagePatients }),
    ...(types === 'all' && { types }),
    ...(heavyPatient !== undefined && {
      heavyPatient: wholeNumber('--heavy-patient', heavyPatient, heavyObservationsMin, heavyObservationsMax),
    }),
  }
}

function wholeNumber(flag: string, text: string, low: number, high: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= low && value <= high) return value
  throw new Failure(
    `${flag} ${shellWord(text)} is not possible.`,
    `Give ${flag} a whole number from ${formatCount(low)} to ${formatCount(high)}, without separators.`,
  )
}

async function writeWithProgress(
  options: PopulationOptions,
  directory: string,
  { gzip, json }: Flags,
): Promise<readonly WrittenFile[]> {
  const bar = progressBar('Generating', options.patients, json ?? false)
  let patients = 0
  let records = 0
  try {
    return await writeFiles(population(options), directory, gzip ?? false, ({ type }) => {
      records += 1
      if (type !== 'Patient') return
      patients += 1
      bar.update(Math.min(patients, options.patients), `${formatCount(records)} records`)
    })
  } finally {
    bar.stop()
  }
}

interface Totals {
  readonly records: number
  readonly bytes: number
  readonly fileBytes: number
}

function totals(files: readonly WrittenFile[]): Totals {
  const sum = (count: (file: WrittenFile) => number): number => files.reduce((total, file) => total + count(file), 0)
  return {
    records: sum(({ records }) => records),
    bytes: sum(({ bytes }) => bytes),
    fileBytes: sum(({ fileBytes }) => fileBytes),
  }
}

/** The result for other programs. */
function describe(
  directory: string,
  options: PopulationOptions,
  files: readonly WrittenFile[],
  seconds: number,
): object {
  const { patients, seed, pagePatients, heavyPatient, types = 'documented' } = options
  const named = ({ records, bytes, fileBytes }: Totals): object => ({ records, bytes, file_bytes: fileBytes })
  return {
    directory,
    patients,
    seed,
    page_patients: pagePatients ?? false,
    types,
    heavy_patient: heavyPatient && { id: heavyPatientId, observations: heavyPatient },
    ...named(totals(files)),
    seconds: Number(seconds.toFixed(3)),
    files: files.map((file) => ({ type: file.type, name: file.name, ...named(file) })),
  }
}

function printSummary(
  output: Output,
  flags: Flags,
  { heavyPatient }: PopulationOptions,
  files: readonly WrittenFile[],
  seconds: number,
): void {
  const all = totals(files)
  const row = (name: string, { records, bytes, fileBytes }: Totals): string[] => [
    name,
    formatCount(records),
    formatBytes(bytes),
    formatBytes(fileBytes),
  ]
  const rows = files.map((file) => row(file.name, file))
  printTable(output, ['File', 'Records', 'NDJSON', 'On disk'], [...rows, row('Total', all)])
  const rate = Math.round(all.records / Math.max(seconds, 0.001))
  output.write(`\n${formatCount(all.records)} records in ${seconds.toFixed(1)} s (${formatCount(rate)} records/s)\n`)
  if (heavyPatient !== undefined) {
    output.write(`Patient ${heavyPatientId} has ${formatCount(heavyPatient)} observations.\n`)
  }
  output.write(`Load them with: bin/millrace load --tenant TENANT ${shellWord(flags.out)}\n`)
}

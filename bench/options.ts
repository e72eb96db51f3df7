import { resolve } from 'node:path'
import { Command } from 'commander'
import { Failure } from '../src/failure.ts'
import { patientsMax } from '../src/protocol/limits.ts'
import { patientsMin } from './dataset.ts'

/** What can be chosen with --only. Loading is measured whenever a store is loaded. */
const subjects = ['warm', 'cold', 'filtered', 'since', 'small', 'kick-off', 'download', 'memory', 'shapes'] as const
export type Subject = (typeof subjects)[number]

/** One run of the benchmark. */
export interface Options {
  readonly patients: number
  /** A database of the user's, which must be empty; the embedded one when undefined. */
  readonly databaseUrl: string | undefined
  readonly out: string
  readonly json: string | undefined
  readonly repeats: number
  readonly only: ReadonlySet<Subject>
  readonly keep: boolean
  readonly writeDocs: boolean
}

/** With so many patients the dataset has a little more than a million records. */
const patientsDefault = 5_000
const repeatsDefault = 3
const repeatsMax = 50

const help = `
What can be named with --only: ${subjects.join(', ')}.

Examples:
  $ npm run bench
  $ npm run bench -- --patients 50 --repeats 1
  $ npm run bench -- --only warm,cold --keep
  $ npm run bench -- --shapes
  $ npm run bench -- --database-url postgresql://millrace:secret@db/empty --json result.json`

interface Flags {
  readonly patients: string
  readonly databaseUrl?: string
  readonly out: string
  readonly json?: string
  readonly repeats: string
  readonly only?: string
  readonly shapes?: boolean
  readonly keep?: boolean
  readonly writeDocs?: boolean
}

/** Reads the command line. @throws Failure for what is not possible */
export function readOptions(words: readonly string[]): Options {
  const command = new Command('npm run bench --')
    .description('Measure loading and exporting, against floors measured in the same run.')
    .option(
      '--patients <count>',
      `size of the dataset, about 200 records each (at most ${patientsMax})`,
      `${patientsDefault}`,
    )
    .option('--database-url <url>', 'measure on this empty PostgreSQL database instead of the embedded one')
    .option('--out <dir>', 'directory for the dataset, the store and the results', '.millrace/bench')
    .option('--json <file>', 'write the result to this file too')
    .option('--repeats <count>', 'rounds of measures, of which medians are taken', `${repeatsDefault}`)
    .option('--only <names>', 'only these measures, separated by commas')
    .option('--shapes', 'only exports in many shapes, against exports of everything: the same as --only shapes')
    .option('--keep', 'leave the dataset and the loaded store for the next run')
    .option('--write-docs', 'put the figures and charts into docs/performance.md')
    .addHelpText('after', help)
    .showHelpAfterError('(add --help for what is allowed)')
  const flags = command.parse(words, { from: 'user' }).opts<Flags>()
  const only = flags.shapes ? new Set<Subject>(['shapes']) : readSubjects(flags.only)
  if (flags.writeDocs && only.size < subjects.length) {
    throw new Failure('--write-docs needs all figures.', 'Leave --only out.')
  }
  return {
    patients: wholeNumber('--patients', flags.patients, patientsMin, patientsMax),
    databaseUrl: flags.databaseUrl,
    out: resolve(flags.out),
    json: flags.json === undefined ? undefined : resolve(flags.json),
    repeats: wholeNumber('--repeats', flags.repeats, 1, repeatsMax),
    only,
    keep: flags.keep ?? false,
    writeDocs: flags.writeDocs ?? false,
  }
}

function wholeNumber(flag: string, text: string, low: number, high: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= low && value <= high) return value
  throw new Failure(`${flag} ${text} is not possible.`, `Give a whole number from ${low} to ${high}.`)
}

function readSubjects(text: string | undefined): ReadonlySet<Subject> {
  if (text === undefined) return new Set(subjects)
  const names = text.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !(subjects as readonly string[]).includes(name))
  if (unknown !== undefined) throw new Failure(`There is no measure "${unknown}".`, `There are ${subjects.join(', ')}.`)
  return new Set(names as Subject[])
}

import { resolve } from 'node:path'
import { Command } from 'commander'
import { Failure } from '../src/failure.ts'
import { patientsMax } from '../src/protocol/limits.ts'
import { patientsMin } from './dataset.ts'
import { type Attack, attacks } from './hostile/attacks.ts'

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
  /** Measure attacks, let everybody go on for so long, or let clients load by so many Bundles of each kind, instead. */
  readonly under:
    | { readonly kind: 'attack'; readonly seconds: number; readonly attacks: readonly Attack[] }
    | { readonly kind: 'soak'; readonly minutes: number }
    | { readonly kind: 'bundles'; readonly bundles: number }
    | undefined
}

/** How long each attack is measured, and a soak goes on. */
const attackSecondsDefault = 15
const attackSecondsMax = 3_600
const soakMinutesDefault = 60
const soakMinutesMax = 10_080
/** Bundles of each kind that are measured. */
const bundlesDefault = 400
const bundlesMax = 10_000
/** Patients of the hostile tenant. */
const hostilePatientsDefault = 1_000

/** With so many patients the dataset has a little more than a million records. */
const patientsDefault = 5_000
const repeatsDefault = 3
const repeatsMax = 50

const help = `
What can be named with --only: ${subjects.join(', ')}.
With --hostile, pieces of the names of attacks:
${attacks.map(({ name }) => `  ${name}`).join('\n')}

Examples:
  $ npm run bench
  $ npm run bench -- --patients 50 --repeats 1
  $ npm run bench -- --only warm,cold --keep
  $ npm run bench -- --shapes
  $ npm run bench -- --hostile --json hostile.json
  $ npm run bench -- --hostile --only "silent sockets,wrong tokens"
  $ npm run bench -- --soak --minutes 60
  $ npm run bench -- --bundles 400
  $ npm run bench -- --database-url postgresql://millrace:secret@db/empty --json result.json`

interface Flags {
  readonly patients?: string
  readonly databaseUrl?: string
  readonly out: string
  readonly json?: string
  readonly repeats: string
  readonly only?: string
  readonly shapes?: boolean
  readonly keep?: boolean
  readonly writeDocs?: boolean
  readonly hostile?: boolean
  readonly soak?: boolean
  readonly seconds: string
  readonly minutes: string
  readonly bundles?: string | true
}

/** Reads the command line. @throws Failure for what is not possible */
export function readOptions(words: readonly string[]): Options {
  const command = new Command('npm run bench --')
    .description('Measure loading and exporting, against floors measured in the same run.')
    .option(
      '--patients <count>',
      `size of the dataset, about 200 records each (at most ${patientsMax}; default ${patientsDefault}, with --hostile and --soak ${hostilePatientsDefault})`,
    )
    .option('--database-url <url>', 'measure on this empty PostgreSQL database instead of the embedded one')
    .option('--out <dir>', 'directory for the dataset, the store and the results', '.millrace/bench')
    .option('--json <file>', 'write the result to this file too')
    .option('--repeats <count>', 'rounds of measures, of which medians are taken', `${repeatsDefault}`)
    .option('--only <names>', 'only these measures or attacks, separated by commas')
    .option('--shapes', 'only exports in many shapes, against exports of everything: the same as --only shapes')
    .option('--keep', 'leave the dataset and the loaded store for the next run')
    .option('--write-docs', 'put the figures and charts into docs/performance.md')
    .option('--hostile', 'attack the server, and measure what others notice')
    .option('--seconds <count>', 'with --hostile: how long each attack is measured', `${attackSecondsDefault}`)
    .option('--soak', 'let 50 clients, slow readers and a hostile one go on, and measure what grows')
    .option('--minutes <count>', 'with --soak: how long', `${soakMinutesDefault}`)
    .option(
      '--bundles [count]',
      `let 8 clients write by transaction Bundles: so many of each kind (default ${bundlesDefault})`,
    )
    .addHelpText('after', help)
    .showHelpAfterError('(add --help for what is allowed)')
  const flags = command.parse(words, { from: 'user' }).opts<Flags>()
  const under = readUnder(flags)
  const only = flags.shapes ? new Set<Subject>(['shapes']) : readSubjects(under === undefined ? flags.only : undefined)
  if (under !== undefined && flags.databaseUrl !== undefined) {
    throw new Failure('--hostile, --soak and --bundles use a store of their own.', 'Leave --database-url out.')
  }
  if (flags.writeDocs && only.size < subjects.length) {
    throw new Failure('--write-docs needs all figures.', 'Leave --only out.')
  }
  return {
    patients: wholeNumber(
      '--patients',
      flags.patients ?? `${under === undefined ? patientsDefault : hostilePatientsDefault}`,
      patientsMin,
      patientsMax,
    ),
    databaseUrl: flags.databaseUrl,
    out: resolve(flags.out),
    json: flags.json === undefined ? undefined : resolve(flags.json),
    repeats: wholeNumber('--repeats', flags.repeats, 1, repeatsMax),
    only,
    keep: flags.keep ?? false,
    writeDocs: flags.writeDocs ?? false,
    under,
  }
}

function readUnder({ hostile, soak, bundles, seconds, minutes, only }: Flags): Options['under'] {
  if ([hostile, soak, bundles].filter((flag) => flag !== undefined).length > 1) {
    throw new Failure('--hostile, --soak and --bundles are measures of their own.', 'Give one of them.')
  }
  if (soak && only !== undefined) throw new Failure('A soak makes all attacks in turn.', 'Leave --only out.')
  if (hostile)
    return {
      kind: 'attack',
      seconds: wholeNumber('--seconds', seconds, 1, attackSecondsMax),
      attacks: readAttacks(only),
    }
  if (bundles !== undefined) {
    const count = bundles === true ? `${bundlesDefault}` : bundles
    return { kind: 'bundles', bundles: wholeNumber('--bundles', count, 1, bundlesMax) }
  }
  return soak ? { kind: 'soak', minutes: wholeNumber('--minutes', minutes, 1, soakMinutesMax) } : undefined
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

/** The attacks whose names have one of the pieces. */
function readAttacks(text: string | undefined): readonly Attack[] {
  if (text === undefined) return attacks
  const pieces = text.split(',').map((piece) => piece.trim())
  const unknown = pieces.find((piece) => piece === '' || !attacks.some(({ name }) => name.includes(piece)))
  if (unknown !== undefined) {
    const names = attacks.map(({ name }) => name).join(', ')
    throw new Failure(`There is no attack "${unknown}".`, `Give pieces of these names: ${names}.`)
  }
  return attacks.filter(({ name }) => pieces.some((piece) => name.includes(piece)))
}

import { readFileSync } from 'node:fs'
import { baseNameOf, type Constant, isBound } from './bounds.ts'

export const limitsPageFile = new URL('../../docs/reference/limits.md', import.meta.url)

/** A row of the page: its sentences are written by hand, its value and its file come from the code. */
const row = /^\| (?<what>.+?) \| (?<value>.*?) \| (?<beyond>.*?) \| `(?<name>[\w.]+)` \| `(?<file>[\w./-]+\.ts)` \|$/

type Row = Readonly<Record<'what' | 'value' | 'beyond' | 'name' | 'file', string>>

const rowOf = (line: string): Row | undefined => row.exec(line)?.groups as Row | undefined

/** Five cells, the fourth of which is a name. */
const isLikeRow = (line: string): boolean => /^\|(?:[^|]*\|){3}\s*`[^|]*\|[^|]*\|\s*$/.test(line)

/** The page as it is in the repository. */
export const readLimitsPage = (): string => readFileSync(limitsPageFile, 'utf8')

/** The page with every value and file as the code has them now. A row whose constant is gone, or may be one of several, stays. */
export function renewedPage(page: string, constants: readonly Constant[]): string {
  const renewed = page.split('\n').map((line) => {
    const found = rowOf(line)
    const constant = found && constantOf(found, constants)
    if (!found || constant?.value === undefined) return line
    return `| ${found.what} | ${written(constant.name, constant.value)} | ${found.beyond} | \`${constant.name}\` | \`${constant.file}\` |`
  })
  return renewed.join('\n')
}

/** What is wrong with the page but its values: bounds without a row or with several, rows without a constant, rows of another form. */
export function faultsOf(page: string, constants: readonly Constant[]): string[] {
  const lines = page.split('\n')
  const rows = lines.flatMap((line) => rowOf(line) ?? [])
  const told = rows.map((found) => constantOf(found, constants))
  return [
    ...lines.filter((line) => isLikeRow(line) && !rowOf(line)).map((line) => `cannot be read: ${line}`),
    ...rows.filter((_, at) => told[at]?.value === undefined).map(({ name, file }) => `${file} has no number ${name}`),
    ...constants
      .filter((constant) => isBound(constant) && !told.includes(constant))
      .map(({ name, file }) => `${name} of ${file} has no row`),
    ...told
      .filter((constant, at) => constant && told.indexOf(constant) !== at)
      .map((twice) => `${twice!.name} has two rows`),
  ]
}

/** The constant of a row, also when its file has moved to another folder, or it alone to another file. */
function constantOf({ name, file }: Row, constants: readonly Constant[]): Constant | undefined {
  const named = constants.filter((constant) => constant.name === name)
  const beside = named.filter((constant) => baseNameOf(constant) === baseNameOf({ name, file }))
  const here = beside.find((constant) => constant.file === file)
  if (here) return here
  if (beside.length > 0) return beside.length === 1 ? beside[0] : undefined
  return named.length === 1 ? named[0] : undefined
}

/** A value in the unit that is last in the constant's name: `64 KiB`, `2 min`, `100 characters`. */
function written(name: string, value: number): string {
  const unit = name.match(/Ms|Seconds|Hours|Days|Bytes|Bits|Chars|Characters|Mb|perSecond/g)?.at(-1)
  switch (unit) {
    case 'Ms':
      return value % 1000 === 0 ? time(value / 1000) : `${count(value)} ms`
    case 'Seconds':
      return time(value)
    case 'Bytes':
      return bytes(value)
    case 'Mb':
      return `${count(value)} MiB`
    case 'Chars':
    case 'Characters':
      return `${count(value)} characters`
    case 'perSecond':
      return `${count(value)} a second`
    case undefined:
      return count(value)
    default:
      return `${count(value)} ${unit.toLowerCase()}`
  }
}

const count = (value: number): string => value.toLocaleString('en')

/** Seconds in the largest unit of which there are two at least, or one whole day or hour. */
function time(seconds: number): string {
  const units = [
    [86_400, 1, 'd'],
    [3_600, 1, 'h'],
    [60, 2, 'min'],
  ] as const
  for (const [size, least, name] of units) {
    if (seconds % size === 0 && seconds / size >= least) return `${count(seconds / size)} ${name}`
  }
  return `${count(seconds)} s`
}

function bytes(value: number): string {
  for (const [size, name] of [
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
  ] as const) {
    if (value % size === 0) return `${count(value / size)} ${name}`
  }
  return `${count(value)} bytes`
}

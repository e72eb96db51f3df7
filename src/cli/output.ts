import type { StoreFlags } from '../config.ts'

/** Where a command prints its result: standard output, or a test's list. */
export interface Output {
  write(text: string): unknown
}

/** Prints one JSON object, for other programs. */
export function printJson(output: Output, value: object): void {
  output.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** Prints rows under a heading, each column as wide as its widest cell. */
export function printTable(output: Output, heading: readonly string[], rows: readonly (readonly string[])[]): void {
  const lines = [heading, ...rows]
  const widths = heading.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  for (const line of lines) {
    output.write(
      `${line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    )
  }
}

/** The store flags of this command, to be repeated in a command that the reader is told to type next. */
export function storeFlagsText({ data, databaseUrl }: StoreFlags): string {
  if (data !== undefined) return ` --data ${shellWord(data)}`
  return databaseUrl === undefined ? '' : ' --database-url URL'
}

/** Quotes a word for a POSIX shell where it needs it. */
export const shellWord = (word: string): string =>
  /^[A-Za-z0-9_\-./:@%+=,]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

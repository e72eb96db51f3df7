import { readdirSync, readFileSync } from 'node:fs'

const migrations = new URL('../../src/database/migrations/', import.meta.url)

/** The definition of a function, and the comment of whole lines right above it. */
const definition = /((?:^--.*\n)*)^create (?:or replace )?function (\w+)\(/gm

/** The comment above the last definition of each function, as one paragraph; empty when there is none. */
export function functionComments(): ReadonlyMap<string, string> {
  const files = readdirSync(migrations).filter((file) => file.endsWith('.sql'))
  const sources = files.sort().map((file) => readFileSync(new URL(file, migrations), 'utf8'))
  const found = sources.flatMap((sql) => [...sql.matchAll(definition)])
  return new Map(found.map(([, comment, name]) => [name!, comment!.replace(/^-- ?/gm, '').replace(/\s+/g, ' ').trim()]))
}

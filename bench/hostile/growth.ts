import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ground } from './ground.ts'

/** What could be filled: memory of the server, rows of the store, files of exports. */
export interface Sizes {
  readonly megabytes: number | undefined
  readonly rows: Readonly<Record<string, number>>
  readonly fileBytes: number
  readonly databaseBytes: number
}

/** Looks at everything that could grow. */
export async function sizesOf({ store: { pool }, server, filesDirectory }: Ground): Promise<Sizes> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select table_schema || '.' || table_name as name from information_schema.tables
     where table_schema in ('millrace', 'pgboss') and table_type = 'BASE TABLE' order by 1`,
  )
  const rows: Record<string, number> = {}
  for (const { name } of tables) {
    const { rows: counted } = await pool.query<{ rows: number }>(`select count(*)::int as rows from ${name}`)
    rows[name] = counted[0]!.rows
  }
  const { rows: size } = await pool.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes')
  return {
    megabytes: await server.residentMegabytes(),
    rows,
    fileBytes: await bytesIn(filesDirectory),
    databaseBytes: Number(size[0]!.bytes),
  }
}

/** Tables that have more rows than before, with how many more. */
export function grownTables(before: Sizes, after: Sizes): Record<string, number> {
  const more = Object.entries(after.rows).map(([name, rows]) => [name, rows - (before.rows[name] ?? 0)] as const)
  return Object.fromEntries(more.filter(([, rows]) => rows > 0).sort(([, a], [, b]) => b - a))
}

async function bytesIn(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  let bytes = 0
  for (const entry of entries) {
    if (!entry.isFile()) continue
    bytes += await stat(join(entry.parentPath, entry.name)).then(
      ({ size }) => size,
      () => 0,
    )
  }
  return bytes
}

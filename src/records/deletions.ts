import type { Pool } from 'pg'
import { copyRows } from './copy/copy-out.ts'
import { instant, text, textArray } from './sql-literal.ts'

/** Which deletions are meant. Times are milliseconds since 1970. */
export interface DeletionQuery {
  readonly tenant: string
  /** `patients`: of whatever belongs to a patient. `system`: of all records. */
  readonly owners: readonly string[] | 'patients' | 'system'
  readonly types: readonly string[]
  readonly asOf: number
  readonly since: number
  readonly until?: number | undefined
  readonly signal: AbortSignal
}

/**
 * The records, as `Type/id`, that were deleted after `since` and are so as of a time; each once, in order. The current version of a
 * deleted record is a tombstone, which is never pruned.
 */
export async function* deletions(pool: Pool, query: DeletionQuery): AsyncGenerator<string[]> {
  const { tenant, types, asOf, since, until } = query
  const ended = `tenant = ${text(tenant)} and deleted and type = any (${textArray(types)})
    and written <= ${instant(asOf)} and superseded > ${instant(asOf)} and updated > ${instant(since)}
    ${until === undefined ? '' : `and updated < ${instant(until)}`}`
  const sql = `select distinct type, id from ${source(query, ended)} order by type, id`
  for await (const rows of copyRows(pool, sql, query.signal)) {
    yield rows.map((row) => `${row.text(0)}/${row.text(1)}`)
  }
}

function source({ owners }: DeletionQuery, ended: string): string {
  if (owners === 'system') return `record where ${ended}`
  if (owners === 'patients') return `record where ${ended} and owner > ''`
  return `unnest(${textArray(owners)}) as o(owner) cross join lateral (
    select type, id from record where owner = o.owner and ${ended} offset 0) r`
}

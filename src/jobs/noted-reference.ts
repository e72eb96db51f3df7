import type { ClientBase, Pool } from 'pg'
import { hasEnded } from './state-conditions.ts'

/** What stands in place of a type is below the letters in marks of open references, which are only told. */
const isRecord = `type >= 'A'`

/** In place of a distance: an exported record of several owners. */
export const exportedHop = -1

/**
 * Adds records (`Type/id`) that the last partition of the job exports once, however many partitions found them, and marks of open
 * references, which it tells of.
 * A job that has ended meanwhile notes nothing any more.
 * @param hop how many references away from the exported records; of two the nearer counts
 */
export async function addReferences(
  client: ClientBase | Pool,
  job: string,
  references: Iterable<string>,
  hop = 0,
): Promise<void> {
  const { types, ids } = columnsOf(references)
  if (ids.length === 0) return
  await client.query(
    `with job as (select id from job where id = $1 and not (${hasEnded}) for share)
     insert into reference (job, type, id, hop) select job.id, found.*, $4 from job, unnest($2::text[], $3::text[]) as found
     on conflict (job, type, id) do update set hop = excluded.hop where reference.hop > excluded.hop`,
    [job, types, ids, hop],
  )
}

/** Whether one of the records is not among those that the last partition of the job exports. */
export async function lacksReference(pool: Pool, job: string, references: Iterable<string>): Promise<boolean> {
  const { types, ids } = columnsOf(references)
  const { rows } = await pool.query<{ lacks: boolean }>(
    `select exists (
       select from unnest($2::text[], $3::text[]) as wanted(type, id)
       where not exists (select from reference r where r.job = $1 and r.type = wanted.type and r.id = wanted.id)) as lacks`,
    [job, types, ids],
  )
  return rows[0]!.lacks
}

function columnsOf(references: Iterable<string>): { types: string[]; ids: string[] } {
  const split = [...references].sort().map((reference) => reference.split('/') as [string, string])
  return { types: split.map(([type]) => type), ids: split.map(([, id]) => id) }
}

export async function countReferences(client: ClientBase, job: string): Promise<number> {
  const { rows } = await client.query(`select count(*)::int as count from reference where job = $1 and ${isRecord}`, [
    job,
  ])
  return rows[0].count
}

/** The types of the records that partitions of the job have noted, in order. */
export async function notedTypes(pool: Pool, job: string): Promise<string[]> {
  const sql = `select distinct type from reference where job = $1 and ${isRecord} order by type`
  return (await pool.query<{ type: string }>(sql, [job])).rows.map(({ type }) => type)
}

/** Marks that are looked at: there are a few kinds of them, of the types that records refer to. */
const openReferencesMax = 1_000

/** The marks of open references that partitions of the job have noted. */
export async function openReferences(pool: Pool, job: string): Promise<string[]> {
  const sql = `select type, id from reference where job = $1 and not (${isRecord}) order by type, id limit ${openReferencesMax}`
  return (await pool.query<{ type: string; id: string }>(sql, [job])).rows.map(({ type, id }) => `${type}/${id}`)
}

const pageRowsMax = 1_000

/** One of a type: its id, and how many references away from the exported records. */
export interface NotedReference {
  readonly id: string
  readonly hop: number
}

/** What is noted of one type in pages, in order; with `hop` only what is so far away. */
export async function* referencePages(
  pool: Pool,
  job: string,
  type: string,
  hop?: number,
): AsyncGenerator<NotedReference[]> {
  const where = `job = $1 and type = $2 and id > $3${hop === undefined ? '' : ' and hop = $4'}`
  for (let after = ''; ; ) {
    const { rows } = await pool.query<NotedReference>(
      `select id, hop from reference where ${where} order by id limit ${pageRowsMax}`,
      [job, type, after, ...(hop === undefined ? [] : [hop])],
    )
    if (rows.length === 0) return
    yield rows
    after = rows.at(-1)!.id
  }
}

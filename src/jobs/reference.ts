import type { ClientBase, Pool } from 'pg'

/** Adds records (`Type/id`) that the last partition of the job exports once, however many partitions found them. */
export async function addReferences(client: ClientBase, job: string, references: Iterable<string>): Promise<void> {
  const split = [...references].sort().map((reference) => reference.split('/') as [string, string])
  if (split.length === 0) return
  await client.query(
    `insert into reference (job, type, id) select $1, * from unnest($2::text[], $3::text[]) on conflict do nothing`,
    [job, split.map(([type]) => type), split.map(([, id]) => id)],
  )
}

export async function countReferences(client: ClientBase, job: string): Promise<number> {
  const { rows } = await client.query('select count(*)::int as count from reference where job = $1', [job])
  return rows[0].count
}

const pageRowsMax = 1_000

/** The ids of one type in pages, in order. */
export async function* referencePages(pool: Pool, job: string, type: string): AsyncGenerator<string[]> {
  for (let after = ''; ; ) {
    const { rows } = await pool.query<{ id: string }>(
      `select id from reference where job = $1 and type = $2 and id > $3 order by id limit ${pageRowsMax}`,
      [job, type, after],
    )
    if (rows.length === 0) return
    yield rows.map((row) => row.id)
    after = rows.at(-1)!.id
  }
}

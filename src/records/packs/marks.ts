import type { ClientBase, Pool } from 'pg'
import type { PackChange } from './drop-packs.ts'

/** An owner and type whose records have changed since they were packed, and the number of the last change. */
export interface Mark {
  readonly tenant: string
  readonly owner: string
  readonly type: string
  readonly change: string
}

/** What is to be packed. `tenant`: of this one only. `settledMs`: only what has not changed for so long. */
export interface PackScope {
  readonly tenant?: string
  readonly settledMs: number
}

/** Whether there is anything to pack. */
export async function hasChanged(pool: Pool, { tenant, settledMs }: PackScope): Promise<boolean> {
  const { rows } = await pool.query<{ changed: boolean }>(
    `select exists (select from unpacked where ($1::text is null or tenant = $1)
       and changed <= now() - $2 * interval '1 millisecond') as changed`,
    [tenant ?? null, settledMs],
  )
  return rows[0]!.changed
}

/** How many owners and types have changed since they were packed. */
export async function countChanged(pool: Pool, tenant: string | undefined): Promise<number> {
  const sql = 'select count(*)::int as count from unpacked where $1::text is null or tenant = $1'
  return (await pool.query<{ count: number }>(sql, [tenant ?? null])).rows[0]!.count
}

/** Marks that are read together. */
const marksMax = 400

const marksSql = `
  select tenant, owner, type, change::text as change from unpacked
  where (tenant, owner, type) > ($1, $2, $3) and ($4::text is null or tenant = $4)
    and changed <= now() - $5 * interval '1 millisecond'
  order by tenant, owner, type limit ${marksMax}`

/** The marks, each once, few at a time: some of one tenant, and those of an owner together, that of Provenances last. */
export async function* readMarks(pool: Pool, scope: PackScope): AsyncGenerator<readonly Mark[]> {
  const { tenant, settledMs } = scope
  let after: Omit<Mark, 'change'> = { tenant: tenant ?? '', owner: '', type: '' }
  for (;;) {
    const place = [after.tenant, after.owner, after.type]
    const { rows } = await pool.query<Mark>(marksSql, [...place, tenant ?? null, settledMs])
    if (rows.length === 0) return
    const marks = wholeOwners(rows)
    yield provenancesLast(marks)
    after = marks.at(-1)!
  }
}

/** What Provenances are about is gone through before them. Marks of one owner are neighbours. */
const provenancesLast = (marks: readonly Mark[]): readonly Mark[] =>
  [...Map.groupBy(marks, ({ owner }) => owner).values()].flatMap((ofOwner) =>
    ofOwner.toSorted((a, b) => Number(a.type === 'Provenance') - Number(b.type === 'Provenance')),
  )

/** Those of the first tenant, without those of an owner of whom more may follow. */
function wholeOwners(marks: readonly Mark[]): readonly Mark[] {
  const [first, last] = [marks[0]!, marks.at(-1)!]
  const ofFirst = marks.filter(({ tenant }) => tenant === first.tenant)
  if (marks.length < marksMax || last.tenant !== first.tenant || last.owner === first.owner) return ofFirst
  return ofFirst.filter(({ owner }) => owner !== last.owner)
}

/** Only marks that still name the same change, and that no writer holds: what came later is not in the packs. */
const takeMarksSql = `
  delete from unpacked
  using (
    select u.ctid as mark from unnest($2::text[], $3::text[], $4::bigint[]) as m(owner, type, change)
    cross join lateral (
      select ctid from unpacked where tenant = $1 and owner = m.owner and type = m.type and change = m.change
      offset 0 for update skip locked) u) found
  where ctid = found.mark
  returning owner, type`

/** Takes marks of a tenant away, and gives those of which nothing has changed since they were read: their packs are true. */
export async function takeMarks(client: ClientBase, tenant: string, marks: readonly Mark[]): Promise<PackChange[]> {
  const { rows } = await client.query<PackChange>(takeMarksSql, [
    tenant,
    marks.map(({ owner }) => owner),
    marks.map(({ type }) => type),
    marks.map(({ change }) => change),
  ])
  return rows
}

import type { Queryable } from '../database/queryable.ts'
import type { StoredEntry } from './entry.ts'

/** From when to when: `from` is included, `to` is not; milliseconds since 1970. */
export interface Period {
  readonly from?: number
  readonly to?: number
}

/** A place in the list of a tenant's entries, newest first: the entry that was shown last. */
export interface Place {
  readonly recorded: number
  readonly number: number
}

/** Characters of entries that one page holds; the last one may go beyond. */
const pageCharsMax = 4 * 1024 * 1024
/** Rows that one statement reads: an entry can be as long as the list of its patients. */
const rowsRead = 50

interface Row {
  readonly tenant: string
  readonly number: string
  readonly recorded: Date
  readonly entry: string
}

const columns = 'tenant, number::text, recorded, entry'

const entryOf = ({ tenant, number, recorded, entry }: Row): StoredEntry => ({
  ...JSON.parse(entry),
  tenant,
  number: Number(number),
  recorded,
})

/** One entry of a chain. */
export async function findEntry(database: Queryable, tenant: string, number: number): Promise<StoredEntry | undefined> {
  const { rows } = await database.query<Row>(`select ${columns} from audit_entry where tenant = $1 and number = $2`, [
    tenant,
    number,
  ])
  return rows[0] && entryOf(rows[0])
}

/** A page of entries, and where the next one begins; undefined when there is none. */
export interface EntryPage {
  readonly entries: readonly StoredEntry[]
  readonly next: Place | undefined
}

/** The entries of a chain within a period, newest first: at most `count`, fewer when they are long, from behind `after` on. */
export async function searchEntries(
  database: Queryable,
  tenant: string,
  period: Period,
  page: { readonly count: number; readonly after?: Place },
): Promise<EntryPage> {
  const entries: StoredEntry[] = []
  let chars = 0
  let after = page.after
  for (;;) {
    // One more than wanted tells whether there is a next page.
    const asked = Math.min(rowsRead, page.count + 1 - entries.length)
    const rows = await readRows(database, tenant, period, after, asked)
    for (const row of rows) {
      if (entries.length === page.count || chars >= pageCharsMax) return { entries, next: after }
      entries.push(entryOf(row))
      chars += row.entry.length
      after = { recorded: row.recorded.getTime(), number: Number(row.number) }
    }
    if (rows.length < asked) return { entries, next: undefined }
  }
}

async function readRows(
  database: Queryable,
  tenant: string,
  { from, to }: Period,
  after: Place | undefined,
  rows: number,
): Promise<readonly Row[]> {
  const time = (ms: number | undefined) => (ms === undefined ? null : new Date(ms))
  const answer = await database.query<Row>(
    `select ${columns} from audit_entry
     where tenant = $1 and recorded >= coalesce($2, '-infinity'::timestamptz) and recorded < coalesce($3, 'infinity'::timestamptz)
       and ($4::timestamptz is null or (recorded, number) < ($4, $5::bigint))
     order by recorded desc, audit_entry.number desc limit $6`,
    [tenant, time(from), time(to), time(after?.recorded), after?.number ?? null, rows],
  )
  return answer.rows
}

/** All entries of a chain from a time on, oldest first, a page at a time. */
export async function* entriesSince(
  database: Queryable,
  tenant: string,
  since: number | undefined,
): AsyncGenerator<StoredEntry> {
  for (let after = 0; ; ) {
    const { rows } = await database.query<Row>(
      `select ${columns} from audit_entry where tenant = $1 and number > $2
         and recorded >= coalesce($3, '-infinity'::timestamptz)
       order by audit_entry.number limit ${rowsRead}`,
      [tenant, after, since === undefined ? null : new Date(since)],
    )
    yield* rows.map(entryOf)
    if (rows.length < rowsRead) return
    after = Number(rows.at(-1)!.number)
  }
}

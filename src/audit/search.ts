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

/** Bytes of entries that one page holds; the last one may go beyond. */
const pageBytesMax = 4 * 1024 * 1024
/** An entry is there as text, understood, as a resource, and as the text of that. */
const copiesOfEntry = 4
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

/**
 * The entries of a chain within a period, newest first: at most `count`, fewer when they are long, from behind `after` on.
 * @param admit is asked with what they take in memory, before they are read; what it throws ends the search
 */
export async function searchEntries(
  database: Queryable,
  tenant: string,
  period: Period,
  page: { readonly count: number; readonly after?: Place },
  admit: (bytes: number) => void | Promise<void>,
): Promise<EntryPage> {
  // One more than wanted tells whether there is a next page.
  const found = await findPlaces(database, tenant, period, page.after, page.count + 1)
  let [shown, bytes] = [0, 0]
  for (const place of found.slice(0, page.count)) {
    if (bytes >= pageBytesMax) break
    shown += 1
    bytes += place.bytes
  }
  await admit(bytes * copiesOfEntry)
  const numbers = found.slice(0, shown).map(({ number }) => number)
  const { rows } = await database.query<Row>(
    `select ${columns} from audit_entry where tenant = $1 and number = any($2::bigint[])
     order by recorded desc, audit_entry.number desc`,
    [tenant, numbers],
  )
  const last = found[shown - 1]
  const next = last && { recorded: last.recorded.getTime(), number: Number(last.number) }
  return { entries: rows.map(entryOf), next: found.length > shown ? next : undefined }
}

/** Where entries are, and how long: what one says can be as long as the list of its patients. */
async function findPlaces(
  database: Queryable,
  tenant: string,
  { from, to }: Period,
  after: Place | undefined,
  rows: number,
): Promise<readonly { readonly number: string; readonly recorded: Date; readonly bytes: number }[]> {
  const time = (ms: number | undefined) => (ms === undefined ? null : new Date(ms))
  const answer = await database.query(
    `select number::text, recorded, octet_length(entry) as bytes from audit_entry
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

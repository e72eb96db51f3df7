import pg, { type Pool } from 'pg'
import { formatInstant } from '../fhir/instant.ts'
import { copyRows, type Fields } from './copy-rows.ts'

/** One record as it was at a time. `body` is a view that is valid until the next batch is asked for. */
export interface RecordAsOf {
  readonly id: string
  /** It belongs to several owners, so other owners' readings give it too. */
  readonly shared: boolean
  /** Blank-separated `Type/id` of Location, Organization and Practitioner. */
  readonly refs: string
  /** Provenance: blank-separated `Type/id` of its targets. */
  readonly targets: string
  /** meta.lastUpdated, milliseconds since 1970 */
  readonly updated: number
  readonly body: Buffer
}

const columns = 'id, shared, refs, targets, (extract(epoch from updated) * 1000)::bigint, body'

/**
 * The records of one type that belong to the owners, as of a time, in order of owner and id.
 * `since`: only those whose meta.lastUpdated is later (S-42). Times are milliseconds since 1970.
 */
export async function* recordsOfOwners(
  pool: Pool,
  selection: {
    tenant: string
    type: string
    owners: readonly string[]
    asOf: number
    since?: number | undefined
    signal?: AbortSignal
  },
): AsyncGenerator<RecordAsOf[]> {
  const { tenant, type, owners, asOf, since } = selection
  yield* batches(
    pool,
    `select r.* from unnest(${textArray(owners)}) as o(owner) cross join lateral (
       select ${columns} from record
       where tenant = ${text(tenant)} and owner = o.owner and type = ${text(type)}
         and written <= ${instant(asOf)} and superseded > ${instant(asOf)} and not deleted
         ${since === undefined ? '' : `and updated > ${instant(since)}`}
       order by id) r`,
    selection.signal,
  )
}

/** The records with the given ids as of a time, whoever owns them; each once, in order of id. */
export async function* recordsWithIds(
  pool: Pool,
  selection: { tenant: string; type: string; ids: readonly string[]; asOf: number; signal?: AbortSignal },
): AsyncGenerator<RecordAsOf[]> {
  const { tenant, type, ids, asOf } = selection
  const lead = `tenant = ${text(tenant)} and type = ${text(type)} and id = any (${textArray(ids)})
    and lead and not deleted and written <= ${instant(asOf)}`
  yield* batches(
    pool,
    `select ${columns} from record where ${lead} and superseded = 'infinity'
     union all
     select ${columns} from record where ${lead} and superseded > ${instant(asOf)} and superseded < 'infinity'
     order by id`,
    selection.signal,
  )
}

async function* batches(pool: Pool, query: string, signal?: AbortSignal): AsyncGenerator<RecordAsOf[]> {
  for await (const rows of copyRows(pool, query, signal)) yield rows.map(recordOf)
}

function recordOf(fields: Fields): RecordAsOf {
  const [id, shared, refs, targets, updated, body] = fields as readonly Buffer[]
  return {
    id: id!.toString('latin1'),
    shared: shared![0] === 1,
    refs: refs!.toString('latin1'),
    targets: targets!.toString('latin1'),
    updated: Number(updated!.readBigInt64BE(0)),
    body: body!,
  }
}

const text = (value: string): string => pg.escapeLiteral(value)
const instant = (ms: number): string => `'${formatInstant(ms)}'::timestamptz`
const textArray = (values: readonly string[]): string =>
  `array[${values.map((value) => pg.escapeLiteral(value)).join(',')}]::text[]`

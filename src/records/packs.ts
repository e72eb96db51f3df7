import { crc32 } from 'node:zlib'
import type { ClientBase, Pool } from 'pg'
import { copyIn, type RowEncoding, textRoom } from './copy-in.ts'
import { type CopyRow, copyRows } from './copy-rows.ts'
import { instant, text, textArray } from './literal.ts'
import type { Pack } from './pack.ts'
import type { PackDemand } from './pack-demand.ts'

/** As they are written and read. The last one seals the others. */
const columns = [
  'tenant',
  'owner',
  'type',
  'number',
  'total',
  'records',
  'bytes',
  'packed',
  'crc',
  'changed',
  'oldest',
  'newest',
  'refs',
  'shared',
  'targets',
  'undisputed',
  'body',
  'seal',
]
const bodyField = columns.indexOf('body')
const sealField = columns.indexOf('seal')

/** Adds packs. Those of their owners and types must be missing. */
export const insertPacks = (client: ClientBase, tenant: string, packs: readonly Pack[]): Promise<void> =>
  copyIn(client, encodingFor(tenant), packs)

const encodingFor = (tenant: string): RowEncoding<Pack> => ({
  table: 'pack',
  columns,
  room: ({ owner, type, refs, shared, targets, blocks }) =>
    textRoom(tenant, owner, type, refs, shared, targets) + blocks.length,
  encode: (chunk, pack) => {
    chunk.text(tenant)
    chunk.text(pack.owner)
    chunk.text(pack.type)
    chunk.integer(pack.number)
    chunk.integer(pack.total)
    chunk.integer(pack.records)
    chunk.integer(pack.bytes)
    chunk.integer(pack.blocks.length)
    chunk.bigint(BigInt(pack.crc))
    chunk.instant(pack.changed)
    chunk.instant(pack.oldest)
    chunk.instant(pack.newest)
    chunk.text(pack.refs)
    chunk.text(pack.shared)
    chunk.text(pack.targets)
    chunk.flag(pack.undisputed)
    chunk.binary(pack.blocks)
    chunk.seal()
  },
})

/** The packs of one owner and type, in order: together all current records, as of one moment. */
export interface OwnedPacks {
  readonly owner: string
  readonly type: string
  /** Only those whose blocks were asked for have any. */
  readonly packs: readonly Pack[]
  /** One of them is missing or is not what it says: none may be used. */
  readonly lying: boolean
}

/** What of the owners' packs is read: all of `types`; the blocks only of those that can be exported. */
export type PackReading = PackDemand & { readonly owners: readonly string[]; readonly signal?: AbortSignal }

/** The packs of owners, owner after owner in the order given, each with its types in order. */
export async function* packsOfOwners(pool: Pool, reading: PackReading): AsyncGenerator<OwnedPacks[]> {
  const { owners, signal } = reading
  if (owners.length === 0 || typesRead(reading).length === 0) return
  let open: { owner: string; type: string; packs: Pack[]; lying: boolean } | undefined
  for await (const rows of copyRows(pool, packsQuery(reading), signal)) {
    const complete: OwnedPacks[] = []
    for (const row of rows) {
      const pack = packOf(row)
      if (open?.owner !== pack.owner || open.type !== pack.type) {
        if (open) complete.push(checked(open))
        open = { owner: pack.owner, type: pack.type, packs: [], lying: false }
      }
      open.packs.push(pack)
      if (!row.isNull(bodyField) && row.bigint(sealField) !== crc32(row.before(sealField))) open.lying = true
    }
    yield complete
  }
  if (open) yield [checked(open)]
}

/** Without `since`, packs that cannot be exported tell nothing. */
const typesRead = ({ types, usable, since }: PackDemand): readonly string[] => (since === undefined ? usable : types)

function packsQuery(reading: PackReading): string {
  const { tenant, usable, asOf, since, owners } = reading
  const wanted = [
    `type = any (${textArray(usable)})`,
    `changed <= ${instant(asOf)}`,
    ...(since === undefined ? [] : [`oldest > ${instant(since)}`]),
  ].join(' and ')
  const read = columns.map((column) => (column === 'body' ? `case when ${wanted} then body end` : column))
  return `
    select p.* from unnest(${textArray(owners)}) as o(owner)
    cross join lateral (
      select ${read.join(', ')} from pack
      where tenant = ${text(tenant)} and owner = o.owner and type = any (${textArray(typesRead(reading))}) order by type, number) p`
}

function checked({ owner, type, packs, lying }: OwnedPacks): OwnedPacks {
  const whole = packs.every(({ number, total }, index) => number === index && total === packs.length)
  return { owner, type, packs, lying: lying || !whole }
}

const nothing = Buffer.alloc(0)

const packOf = (row: CopyRow): Pack => ({
  owner: row.text(1),
  type: row.text(2),
  number: row.integer(3),
  total: row.integer(4),
  records: row.integer(5),
  bytes: row.integer(6),
  crc: row.bigint(8),
  changed: row.instant(9),
  oldest: row.instant(10),
  newest: row.instant(11),
  refs: row.text(12),
  shared: row.text(13),
  targets: row.text(14),
  undisputed: row.flag(15),
  blocks: row.isNull(bodyField) ? nothing : row.binary(bodyField),
})

/** Packs that are to be made anew. */
export interface PackChange {
  readonly owner: string
  readonly type: string
  /** Their records have changed; otherwise they are to be made only if there are none. */
  readonly changed: boolean
}

/**
 * Notes that packs are to be made, and drops those whose records have changed. A writer calls it in its transaction, after it has
 * written; whoever finds a pack that lies calls it, so that it is made again.
 */
export async function dropPacks(
  client: ClientBase | Pool,
  tenant: string,
  changes: readonly PackChange[],
): Promise<void> {
  if (changes.length === 0) return
  await client.query('select drop_packs($1, $2, $3, $4)', [
    tenant,
    changes.map(({ owner }) => owner),
    changes.map(({ type }) => type),
    changes.map(({ changed }) => changed),
  ])
}

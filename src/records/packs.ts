import type { ClientBase, Pool } from 'pg'
import { copyIn, type RowEncoding, textRoom } from './copy-in.ts'
import { copyRows, instantOf } from './copy-rows.ts'
import { text, textArray } from './literal.ts'
import { type Pack, sealOf } from './pack.ts'

const columns =
  'tenant,owner,type,number,total,records,bytes,packed,crc,changed,oldest,newest,refs,shared,targets,undisputed,seal,body'.split(
    ',',
  )

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
    chunk.bigint(BigInt(sealOf(tenant, pack)))
    chunk.binary(pack.blocks)
  },
})

/** The packs of one owner, in order: together all current records of the type, as of one moment. */
export interface PackedOwner {
  readonly owner: string
  readonly packs: readonly Pack[]
  /** One of them is missing or is not what it says: none may be used. */
  readonly lying: boolean
}

/** The packs of one type, in the order of the owners; an owner without packs is left out. */
export async function* packsOfOwners(
  pool: Pool,
  selection: { tenant: string; type: string; owners: readonly string[]; signal?: AbortSignal },
): AsyncGenerator<PackedOwner> {
  const { tenant, type, owners, signal } = selection
  if (owners.length === 0) return
  const query = `
    select p.* from unnest(${textArray(owners)}) as o(owner)
    cross join lateral (
      select owner, number, total, records, bytes, crc, changed, oldest, newest, refs, shared, targets, undisputed,
        seal, body
      from pack where tenant = ${text(tenant)} and owner = o.owner and type = ${text(type)} order by number) p`
  let open: { owner: string; packs: Pack[]; lying: boolean } | undefined
  for await (const rows of copyRows(pool, query, signal)) {
    for (const row of rows) {
      const { pack, sealed } = readPack(tenant, type, row as readonly Buffer[])
      if (open?.owner !== pack.owner) {
        if (open) yield checked(open)
        open = { owner: pack.owner, packs: [], lying: false }
      }
      open.packs.push(pack)
      if (!sealed) open.lying = true
    }
  }
  if (open) yield checked(open)
}

function checked({ owner, packs, lying }: PackedOwner): PackedOwner {
  const whole = packs.every(({ number, total }, index) => number === index && total === packs.length)
  return { owner, packs, lying: lying || !whole }
}

function readPack(tenant: string, type: string, row: readonly Buffer[]): { pack: Pack; sealed: boolean } {
  const [
    owner,
    number,
    total,
    records,
    bytes,
    crc,
    changed,
    oldest,
    newest,
    refs,
    shared,
    targets,
    undisputed,
    seal,
    blocks,
  ] = row
  const pack = {
    owner: owner!.toString('latin1'),
    type,
    number: number!.readInt32BE(),
    total: total!.readInt32BE(),
    records: records!.readInt32BE(),
    bytes: bytes!.readInt32BE(),
    crc: Number(crc!.readBigInt64BE()),
    changed: instantOf(changed!),
    oldest: instantOf(oldest!),
    newest: instantOf(newest!),
    refs: refs!.toString('latin1'),
    shared: shared!.toString('latin1'),
    targets: targets!.toString('latin1'),
    undisputed: undisputed![0] === 1,
    blocks: blocks!,
  }
  return { pack, sealed: Number(seal!.readBigInt64BE()) === sealOf(tenant, pack) }
}

/**
 * Notes that records of these owners and types (pairs) have changed, and drops their packs. A writer calls it in its transaction,
 * after it has written; whoever finds a pack that lies calls it, so that it is made again.
 */
export async function dropPacks(
  client: ClientBase | Pool,
  tenant: string,
  pairs: readonly { readonly owner: string; readonly type: string }[],
): Promise<void> {
  if (pairs.length === 0) return
  await client.query('select drop_packs($1, $2, $3)', [
    tenant,
    pairs.map(({ owner }) => owner),
    pairs.map(({ type }) => type),
  ])
}

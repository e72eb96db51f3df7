import type { ClientBase, Pool } from 'pg'
import type { CopyRow } from '../copy/copied-row.ts'
import { copyIn, type RowEncoding, textRoom } from '../copy/copy-in.ts'
import { copyRows } from '../copy/copy-out.ts'
import { instant, text, textArray } from '../sql-literal.ts'
import { absenceType } from './absence-pack.ts'
import { columnsRoom, readSealedColumns, writeSealedColumns } from './columns/sealed-columns.ts'
import type { Pack } from './pack.ts'
import { isTold, typesAbout } from './pack-about.ts'
import { bodyRoom, readBody, sealOf, writeBody } from './pack-body.ts'
import { manyTypesMin, type PackDemand } from './pack-demand.ts'
import { isWithinTimes, touchesTimes } from './pack-times.ts'

const columns =
  'tenant,owner,type,number,records,bytes,packed,present,about,changed,oldest,newest,body,seal,columns'.split(',')

/** Adds packs, of an owner and type all at once. Those of their owners and types must be missing. */
export const insertPacks = (client: ClientBase, tenant: string, packs: readonly Pack[]): Promise<void> =>
  copyIn(client, encodingFor(tenant, typesAbout(packs)), packs)

const encodingFor = (tenant: string, about: ReadonlyMap<string, string>): RowEncoding<Pack> => ({
  table: 'pack',
  columns,
  room: (pack) =>
    textRoom(tenant, pack.owner, pack.type, pack.present, aboutOf(pack, about)) +
    bodyRoom(tenant, pack) +
    columnsRoom(pack),
  encode: (chunk, pack) => {
    chunk.text(tenant)
    chunk.text(pack.owner)
    chunk.text(pack.type)
    chunk.integer(pack.number)
    chunk.integer(pack.records)
    chunk.integer(pack.bytes)
    chunk.integer(pack.blocks.length)
    chunk.text(pack.present)
    chunk.text(aboutOf(pack, about))
    chunk.instant(pack.changed)
    chunk.instant(pack.oldest)
    chunk.instant(pack.newest)
    const body = chunk.composed(() => writeBody(chunk, tenant, pack))
    const seal = sealOf(body)
    chunk.bigint(BigInt(seal))
    writeSealedColumns(chunk, seal, pack.columns)
  },
})

const aboutOf = ({ owner, type }: Pack, about: ReadonlyMap<string, string>): string =>
  type === 'Provenance' ? about.get(owner)! : ''

/** The packs of one owner and type, in order: together all current records, as of one moment. */
export interface OwnedPacks {
  readonly owner: string
  readonly type: string
  /** Those that are wanted; none where there is no record. */
  readonly packs: readonly Pack[]
  /** There is something to export that packs cannot give. */
  readonly lacking: boolean
  /** One of them is missing or is not what it says: none may be used. */
  readonly lying: boolean
}

/** Whose packs are read, and which are wanted: those of the types, with the state of the right time, and with a record of the times asked for. */
export type PackReading = PackDemand & { readonly owners: readonly string[]; readonly signal?: AbortSignal }

/**
 * The packs of owners, owner after owner in the order given: that of no type, then the others in order, those of Provenances last. They are views of bytes that are overwritten
 * when the next ones are asked for.
 */
export async function* packsOfOwners(pool: Pool, reading: PackReading): AsyncGenerator<OwnedPacks[]> {
  const { tenant, owners, types, signal } = reading
  if (owners.length === 0 || types.length === 0) return
  let gathered: GatheredPacks | undefined
  for await (const rows of copyRows(pool, packsQuery(reading), signal)) {
    const complete: OwnedPacks[] = []
    for (const row of rows) {
      if (!gathered?.isOf(row)) {
        if (gathered) complete.push(gathered)
        const owner = gathered !== undefined && row.says(0, gathered.owner) ? gathered.owner : row.text(0)
        gathered = new GatheredPacks(tenant, owner, row.text(1))
      }
      gathered.add(row)
    }
    yield complete
    gathered?.keep()
  }
  if (gathered) yield [gathered]
}

class GatheredPacks implements OwnedPacks {
  readonly owner: string
  readonly type: string
  readonly packs: Pack[] = []
  lacking = false
  readonly #tenant: string
  #rows = 0
  #kept = 0
  #wrong = false

  constructor(tenant: string, owner: string, type: string) {
    this.#tenant = tenant
    this.owner = owner
    this.type = type
  }

  isOf(row: CopyRow): boolean {
    return row.says(1, this.type) && row.says(0, this.owner)
  }

  /** Copies what it has: more of it may come with the next rows. */
  keep(): void {
    for (; this.#kept < this.packs.length; this.#kept++) this.packs[this.#kept] = keptPack(this.packs[this.#kept]!)
  }

  /** @param row as `packsQuery` gives it */
  add(row: CopyRow): void {
    const number = this.#rows++
    if (row.isNull(2)) {
      if (!row.flag(4)) this.lacking = true
      return
    }
    const { owner, type } = this
    const seal = row.bigint(3)
    const pack = readBody(row.binary(2), seal, { tenant: this.#tenant, owner, type, number })
    const columns = row.isNull(5) ? undefined : readSealedColumns(row.binary(5), seal)
    if (!pack || (columns === undefined && !row.isNull(5))) this.#wrong = true
    else this.packs.push(columns === undefined ? pack : { ...pack, columns })
  }

  get lying(): boolean {
    return this.#wrong || this.packs.some(({ total }) => total !== this.#rows)
  }
}

/** The pack with bytes of its own. */
export const keptPack = (pack: Pack): Pack => ({
  ...pack,
  refs: Buffer.from(pack.refs),
  blocks: Buffer.from(pack.blocks),
  columns: pack.columns && Buffer.from(pack.columns),
})

/** Whose packs, the body of those that hold something to export, its seal, whether there is nothing, and what tells of each record if that is needed. */
function packsQuery(reading: PackReading): string {
  const { tenant, types, chosen, asOf, owners } = reading
  const wanted = textArray([absenceType, ...types])
  const ofTypes = types.length < manyTypesMin ? `type = any (${wanted})` : `type || '' = any (${wanted})`
  const order = types.some((type) => type > 'Provenance') ? `type = 'Provenance', type, number` : 'type, number'
  const isTrue = `changed <= ${instant(asOf)}`
  const isChosen = `(type = any (${textArray(chosen)}) or not ${isTold(reading)} or not bool_and(${isWithinTimes(reading)}) over (partition by type))`
  return `
    select p.* from unnest(${textArray(owners)}) as o(owner)
    cross join lateral (
      select owner, type, case when ${isTrue} and ${touchesTimes(reading)} then body end, seal,
        ${isTrue} and not ${touchesTimes(reading)},
        case when ${isTrue} and ${touchesTimes(reading)} and ${isChosen} then columns end
      from pack where tenant = ${text(tenant)} and owner = o.owner and ${ofTypes} order by ${order}) p`
}

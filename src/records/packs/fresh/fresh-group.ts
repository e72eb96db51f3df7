import { CopyRow } from '../../copy/copied-row.ts'
import type { GatheredLines } from '../build/gathered-lines.ts'
import type { PackedMark } from '../build/pack-assembly.ts'
import { PackBuilder, type PackRow } from '../build/pack-builder.ts'
import { PresentRecords } from '../build/present-records.ts'
import type { HeldRows } from './held-rows.ts'
import { columnAt } from './written-rows.ts'

/** The rows of one owner and type that a load has written, so far. */
export class FreshGroup {
  readonly owner: string
  readonly type: string
  /** The number of the write that had the last of them. */
  touched = 0
  readonly #held: HeldRows[] = []
  /** Where the rows begin, for each of the writes. */
  readonly #starts: number[][] = []

  constructor(owner: string, type: string) {
    this.owner = owner
    this.type = type
  }

  isOf(row: CopyRow): boolean {
    return row.says(columnAt.type, this.type) && row.says(columnAt.owner, this.owner)
  }

  add(held: HeldRows, start: number): void {
    if (this.#held.at(-1) !== held) {
      this.#held.push(held)
      this.#starts.push([])
    }
    this.#starts.at(-1)!.push(start)
  }

  /** The writes that it has rows of. */
  get holds(): readonly HeldRows[] {
    return this.#held
  }

  has(held: HeldRows): boolean {
    return this.#held.includes(held)
  }

  /** The packs of the rows, and what they were made of; undefined where a target of the owner is not there: it may have come since. */
  pack(lines: GatheredLines): PackedMark | undefined {
    const { owner, type } = this
    const rows = this.#held.flatMap((held, index) => this.#starts[index]!.map((start) => rowAt(held, start)))
    rows.sort((a, b) => (a.id < b.id ? -1 : 1))
    const present = this.#present(rows)
    if (!present) return undefined
    const builder = new PackBuilder(type, present, lines)
    for (const row of rows) builder.add(row)
    const times = this.#held.map(({ written }) => written)
    const last = this.#held.at(-1)!
    return {
      mark: { tenant: last.tenant, owner, type, change: last.changeOf(owner, type) },
      packs: builder.finish(),
      madeOf: { rows: rows.length, since: Math.min(...times), until: Math.max(...times) },
    }
  }

  /** What is there of what Provenances are about, so far as it is the owner's; undefined where something is not. */
  #present(rows: readonly FreshRow[]): PresentRecords | undefined {
    const present = new PresentRecords(this.owner)
    for (const { targets, held } of rows) {
      if (targets === '') continue
      for (const reference of targets.split(' ')) {
        const { type, id, owners, came } = held.target(reference)
        if (!owners.includes(this.owner)) continue
        if (came === undefined) return undefined
        present.add(type, id, came)
      }
    }
    return present
  }
}

interface FreshRow extends PackRow {
  readonly held: HeldRows
}

function rowAt(held: HeldRows, start: number): FreshRow {
  const row = CopyRow.at(held.bytes, start)!
  return {
    held,
    owner: row.text(columnAt.owner),
    type: row.text(columnAt.type),
    changed: held.written,
    updated: row.instant(columnAt.updated),
    shared: row.flag(columnAt.shared),
    id: row.text(columnAt.id),
    refs: row.text(columnAt.refs),
    targets: row.text(columnAt.targets),
    body: row.binary(columnAt.body),
  }
}

import type { Pool } from 'pg'
import { CopyRow } from '../../copy/copied-row.ts'
import { GatheredLines } from '../build/gathered-lines.ts'
import type { PackedMark } from '../build/pack-assembly.ts'
import { publishPacks } from '../publish-packs.ts'
import { FreshGroup } from './fresh-group.ts'
import { HeldRows } from './held-rows.ts'
import { columnAt, type WrittenRows } from './written-rows.ts'

/** An owner's records of a type are taken for whole when so many writes one after the other had none of them. */
const writesApart = 3

/** Writes whose rows are held. Of an owner and type whose rows come in more of them the packs are left to others. */
const heldWritesMax = 8

/** Packs are put into the store when they hold so many bytes of lines. */
const linesBytesMax = 4 * 1024 * 1024

/** Transactions that put packs into the store at the same time. */
const publishingMax = 3

/** When so many were not whole the records come in another order, and all is left to others. */
const notWholeMax = 200

/**
 * Makes packs of what a load has just written, without reading it again. It may leave out what it likes: what has no packs has a mark,
 * and somebody else makes them. What it makes is compared with the store by `publishPacks`.
 */
export class FreshPacks {
  readonly #pool: Pool
  readonly #lines = new GatheredLines()
  readonly #groups = new Map<string, FreshGroup>()
  #held: HeldRows[] = []
  #writes = 0
  #asked = 0
  #packed: PackedMark[] = []
  #packedBytes = 0
  #notWhole = 0
  #added: Promise<void> = Promise.resolve()
  readonly #publishing = new Set<Promise<unknown>>()

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /** Whether rows have come since this was last asked, of which it makes packs. */
  isAtWork(): boolean {
    const since = this.#writes - this.#asked
    this.#asked = this.#writes
    return since > 0
  }

  /**
   * Takes rows that were written, and packs what is whole.
   * @param release is called when the rows are needed no more, perhaps long after this is done
   */
  add(rows: WrittenRows, release: () => void): Promise<void> {
    this.#added = this.#added.then(() => this.#add(new HeldRows(rows, release)))
    return this.#added
  }

  async #add(held: HeldRows): Promise<void> {
    if (this.#notWhole > notWholeMax) return held.release()
    this.#writes++
    this.#held.push(held)
    this.#gather(held)
    for (const [key, group] of this.#groups) {
      if (group.touched + writesApart > this.#writes) continue
      this.#groups.delete(key)
      await this.#pack(group)
    }
    this.#letGo()
  }

  /** Packs the rest. */
  async finish(): Promise<void> {
    await this.#added
    for (const group of this.#groups.values()) await this.#pack(group)
    this.#groups.clear()
    await this.#beginPublishing()
    await Promise.all(this.#publishing)
    for (const held of this.#held) held.release()
  }

  #gather(held: HeldRows): void {
    let group: FreshGroup | undefined
    for (const start of held.starts) {
      const row = CopyRow.at(held.bytes, start)!
      if (row.says(columnAt.owner, '')) continue
      if (!group?.isOf(row)) {
        group = this.#groupOf(row.text(columnAt.owner), row.text(columnAt.type))
        group.touched = this.#writes
      }
      group.add(held, start)
    }
  }

  #groupOf(owner: string, type: string): FreshGroup {
    const key = `${owner} ${type}`
    const group = this.#groups.get(key) ?? new FreshGroup(owner, type)
    this.#groups.set(key, group)
    return group
  }

  async #pack(group: FreshGroup): Promise<void> {
    const packed = group.pack(this.#lines)
    if (!packed) return
    this.#packed.push(packed)
    for (const { bytes } of packed.packs) this.#packedBytes += bytes
    if (this.#packedBytes > linesBytesMax) await this.#beginPublishing()
  }

  /** While packs are put into the store the next ones are made. */
  async #beginPublishing(): Promise<void> {
    while (this.#publishing.size === publishingMax) await Promise.race(this.#publishing)
    const packed = this.#packed
    this.#packed = []
    this.#packedBytes = 0
    if (packed.length === 0) return
    const published: Promise<unknown> = this.#publish(packed).then(() => this.#publishing.delete(published))
    published.catch(() => {})
    this.#publishing.add(published)
  }

  async #publish(packed: readonly PackedMark[]): Promise<void> {
    const packs = await publishPacks(this.#pool, packed[0]!.mark.tenant, packed)
    const published = new Set(packs.map(({ owner, type }) => `${owner} ${type}`))
    for (const { mark, packs } of packed)
      if (packs.length > 0 && !published.has(`${mark.owner} ${mark.type}`)) this.#notWhole++
  }

  /** Lets go of rows whose packs are made, and of the oldest if there are too many. */
  #letGo(): void {
    const oldest = this.#held.length > heldWritesMax ? this.#held[0] : undefined
    if (oldest) {
      for (const [key, group] of this.#groups) if (group.has(oldest)) this.#groups.delete(key)
    }
    const needed = new Set([...this.#groups.values()].flatMap((group) => group.holds))
    for (const held of this.#held) if (!needed.has(held)) held.release()
    this.#held = this.#held.filter((held) => needed.has(held))
  }
}

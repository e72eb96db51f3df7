import type { RecordAsOf } from '../../records/as-of.ts'
import type { Pack } from '../../records/packs/pack.ts'
import { keptPack } from '../../records/packs/stored-packs.ts'
import { OrderedRecords } from './ordered-records.ts'

/** How the records of one type of a partition's owners are exported. */
export interface TypeExport {
  /** Reads the versions of owners as of the job's transactionTime, in order of owner and id. */
  readonly versions: (owners: readonly string[]) => AsyncGenerator<RecordAsOf[]>
  readonly addRecords: (records: readonly RecordAsOf[]) => Promise<void>
  /**
   * @param packs all of one owner
   * @returns undefined when there is nothing to wait for
   */
  readonly addPacks: (packs: readonly Pack[]) => Promise<void> | undefined
}

/**
 * One type of a partition, in the order of the owners. Packs are exported as they come. An owner who has none that serve waits until the
 * versions of several such owners are read at once, and whoever comes after waits, too.
 */
export class TypeQueue {
  readonly #export: TypeExport
  /** Owners without packs, and packs of others. */
  #waiting: (string | readonly Pack[])[] = []
  #heldBytes = 0
  /** The present owner has packs. */
  #packed = false

  constructor(typeExport: TypeExport) {
    this.#export = typeExport
  }

  /** What the packs weigh that wait. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** The packs of the present owner are exported. */
  get isThrough(): boolean {
    return this.#packed && !this.isWaiting
  }

  /** The present owner has no more packs. */
  endOwner(owner: string): void {
    if (!this.#packed) this.#waiting.push(owner)
    this.#packed = false
  }

  /**
   * The packs of the present owner, which serve.
   * @param mustWait they cannot be exported yet
   * @returns undefined when there is nothing to wait for
   */
  addPacks(packs: readonly Pack[], mustWait: boolean): Promise<void> | undefined {
    this.#packed = true
    if (packs.length === 0) return undefined
    if (!mustWait && !this.isWaiting) return this.#export.addPacks(packs)
    this.#waiting.push(packs.map(keptPack))
    for (const { blocks, columns } of packs) this.#heldBytes += blocks.length + (columns?.length ?? 0)
    return undefined
  }

  /** Exports all that waits. */
  async settle(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    this.#heldBytes = 0
    const records = new OrderedRecords(this.#export.versions(waiting.filter((entry) => typeof entry === 'string')))
    try {
      for (const entry of waiting) {
        if (typeof entry === 'string') continue
        for await (const before of records.before(entry[0]!.owner)) await this.#export.addRecords(before)
        await this.#export.addPacks(entry)
      }
      for await (const rest of records.rest()) await this.#export.addRecords(rest)
    } finally {
      await records.close()
    }
  }
}

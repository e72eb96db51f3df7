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

  /** An owner who has no packs that serve. */
  addOwner(owner: string): void {
    this.#waiting.push(owner)
  }

  /**
   * The packs of an owner, which serve.
   * @param mustWait they cannot be exported yet
   * @returns undefined when there is nothing to wait for
   */
  addPacks(packs: readonly Pack[], mustWait: boolean): Promise<void> | undefined {
    if (packs.length === 0) return undefined
    if (!mustWait && !this.isWaiting) return this.#export.addPacks(packs)
    this.#waiting.push(packs.map(keptPack))
    for (const { blocks, columns } of packs) this.#heldBytes += blocks.length + (columns?.length ?? 0)
    return undefined
  }

  /**
   * Exports all that waits.
   * @param mayHave whether an owner without packs may have records of the type
   */
  async settle(mayHave: (owner: string) => boolean): Promise<void> {
    const waiting = this.#waiting.filter((entry) => typeof entry !== 'string' || mayHave(entry))
    this.#waiting = []
    this.#heldBytes = 0
    if (waiting.length === 0) return
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

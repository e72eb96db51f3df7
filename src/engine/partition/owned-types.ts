import { ownedTypes } from '../../fhir/ownership.ts'
import type { PartWriter } from '../../files/part-writer.ts'
import { isWhole } from '../../protocol/plan/pack-use.ts'
import type { Pack } from '../../records/packs/pack.ts'
import { exportOfType } from './export-type.ts'
import { exportOfProvenances } from './provenances/export-provenances.ts'
import { ExportedRecords } from './provenances/exported-records.ts'
import type { Selection } from './selection.ts'
import { TypeQueue } from './type-queue.ts'

/** Owners whose versions are read together at most, and what packs that wait for them may weigh before no more owners are added. */
const waitingOwnersMax = 256
const waitingBytesMax = 4 * 1024 * 1024

/** The types of a partition, each with its own files. Owners are added one after the other. */
export class OwnedTypes {
  readonly #types: ReadonlyMap<string, TypeQueue>
  /** Types that must be through before it is known which Provenances of an owner come along. */
  readonly #deciding: readonly TypeQueue[]
  readonly #provenances: TypeQueue | undefined
  readonly #exported: ExportedRecords
  #waitingOwners = 0

  constructor(selection: Selection, writers: ReadonlyMap<string, PartWriter>) {
    const targets = [...writers.keys()].filter((type) => ownedTypes.has(type))
    const whole = new Set(targets.filter((type) => isWhole(selection.job.request, type)))
    this.#exported = new ExportedRecords(whole, whole.size < targets.length)
    const types = [...writers].map(([type, writer]): [string, TypeQueue] => [
      type,
      new TypeQueue(
        type === 'Provenance'
          ? exportOfProvenances(selection, writer, this.#exported)
          : exportOfType(selection, writer, type, this.#exported),
      ),
    ])
    this.#types = new Map(types.sort(([a], [b]) => Number(a === 'Provenance') - Number(b === 'Provenance')))
    this.#deciding = targets.filter((type) => !whole.has(type)).map((type) => this.#types.get(type)!)
    this.#provenances = this.#types.get('Provenance')
  }

  /**
   * The packs of one type of the present owner; those of Provenances come last.
   * @returns undefined when there is nothing to wait for
   */
  addPacks(type: string, packs: readonly Pack[]): Promise<void> | undefined {
    const mustWait = type === 'Provenance' && !this.#deciding.every(({ isThrough }) => isThrough)
    return this.#types.get(type)!.addPacks(packs, mustWait)
  }

  /** The present owner has no more packs. */
  async endOwner(owner: string): Promise<void> {
    for (const type of this.#types.values()) type.endOwner(owner)
    if (!this.#provenances?.isWaiting) this.#exported.clear()
    this.#waitingOwners++
    if (this.#waitingOwners >= waitingOwnersMax || this.#heldBytes >= waitingBytesMax) await this.settle()
  }

  /** Exports all that waits. */
  async settle(): Promise<void> {
    for (const type of this.#types.values()) await type.settle()
    this.#exported.clear()
    this.#waitingOwners = 0
  }

  get #heldBytes(): number {
    let bytes = 0
    for (const { heldBytes } of this.#types.values()) bytes += heldBytes
    return bytes
  }
}

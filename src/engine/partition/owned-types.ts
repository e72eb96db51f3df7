import type { PartWriter } from '../../files/part-writer.ts'
import type { Pack } from '../../records/packs/pack.ts'
import { exportOfProvenances } from './export-provenances.ts'
import { exportOfType } from './export-type.ts'
import { ExportedIds } from './exported-ids.ts'
import type { Selection } from './selection.ts'
import { TypeQueue } from './type-queue.ts'

/** Owners whose versions are read together at most, and what packs that wait for them may weigh before no more owners are added. */
const waitingOwnersMax = 256
const waitingBytesMax = 4 * 1024 * 1024

/** The types of a partition, each with its own files. Owners are added one after the other. */
export class OwnedTypes {
  readonly #types: ReadonlyMap<string, TypeQueue>
  #waitingOwners = 0
  #exported = new ExportedIds()

  constructor(selection: Selection, writers: ReadonlyMap<string, PartWriter>) {
    const exported = () => this.#exported
    const types = [...writers].map(([type, writer]): [string, TypeQueue] => [
      type,
      new TypeQueue(
        type === 'Provenance'
          ? exportOfProvenances(selection, writer, exported)
          : exportOfType(selection, writer, type, exported),
      ),
    ])
    // Which Provenances come along depends on what else is exported.
    this.#types = new Map(types.sort(([a], [b]) => Number(a === 'Provenance') - Number(b === 'Provenance')))
  }

  /**
   * The packs of one type of the present owner.
   * @returns undefined when there is nothing to wait for
   */
  addPacks(type: string, packs: readonly Pack[]): Promise<void> | undefined {
    return this.#types.get(type)!.addPacks(packs)
  }

  /** The present owner has no more packs. */
  async endOwner(owner: string): Promise<void> {
    for (const type of this.#types.values()) type.endOwner(owner)
    this.#waitingOwners++
    if (this.#waitingOwners >= waitingOwnersMax || this.#heldBytes >= waitingBytesMax) await this.settle()
  }

  /** Exports all that waits. */
  async settle(): Promise<void> {
    for (const type of this.#types.values()) await type.settle()
    this.#exported = new ExportedIds()
    this.#waitingOwners = 0
  }

  get #heldBytes(): number {
    let bytes = 0
    for (const { heldBytes } of this.#types.values()) bytes += heldBytes
    return bytes
  }
}

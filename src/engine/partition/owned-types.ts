import { isTargetType } from '../../fhir/resource-types.ts'
import type { PartWriter } from '../../files/part-writer.ts'
import { isWhole } from '../../protocol/plan/pack-use.ts'
import type { Pack } from '../../records/packs/pack.ts'
import { typesOfOwners } from '../../records/types-of-owner.ts'
import { exportOfType } from './export-type.ts'
import { exportOfProvenances } from './provenances/export-provenances.ts'
import { ExportedRecords } from './provenances/exported-records.ts'
import type { Selection } from './selection.ts'
import { TypeQueue } from './type-queue.ts'

/** Owners whose versions are read together at most, and what packs that wait for them may weigh before no more owners are added. */
const waitingOwnersMax = 256
const waitingBytesMax = 4 * 1024 * 1024

/**
 * The types of a partition, each with its own files. Owners are added one after the other. Each has records of a few of the types: what
 * they take is what these take.
 */
export class OwnedTypes {
  readonly #selection: Selection
  readonly #types: ReadonlyMap<string, TypeQueue>
  /** Types that must be through before it is known which Provenances of an owner come along. */
  readonly #deciding: ReadonlySet<string>
  readonly #provenances: TypeQueue | undefined
  readonly #exported: ExportedRecords
  /** Types of which the present owner has packs that serve. */
  readonly #packed = new Set<string>()
  /** Of the present owner, as far as packs tell. */
  #present: readonly string[] | undefined
  /** Owners of whom it is not known which types they have. */
  #unknown: string[] = []
  #waitingOwners = 0

  constructor(selection: Selection, writers: ReadonlyMap<string, PartWriter>) {
    this.#selection = selection
    const targets = [...writers.keys()].filter(isTargetType)
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
    this.#deciding = new Set(targets.filter((type) => !whole.has(type)))
    this.#provenances = this.#types.get('Provenance')
  }

  /** The present owner has records of no other types. Said before there are packs. */
  addPresent(types: readonly string[]): void {
    this.#present = types
  }

  /**
   * The packs of one type of the present owner; those of Provenances come last.
   * @returns undefined when there is nothing to wait for
   */
  addPacks(type: string, packs: readonly Pack[]): Promise<void> | undefined {
    this.#packed.add(type)
    return this.#types.get(type)!.addPacks(packs, type === 'Provenance' && !this.#isDecided())
  }

  #isDecided(): boolean {
    for (const type of this.#present ?? this.#deciding) {
      if (this.#deciding.has(type) && !(this.#packed.has(type) && !this.#types.get(type)!.isWaiting)) return false
    }
    return true
  }

  /** The present owner has no more packs. */
  async endOwner(owner: string): Promise<void> {
    let waits = false
    for (const type of this.#present ?? this.#types.keys()) {
      const queue = this.#types.get(type)
      if (queue === undefined || this.#packed.has(type)) continue
      queue.addOwner(owner)
      waits = true
    }
    if (waits && this.#present === undefined) this.#unknown.push(owner)
    this.#packed.clear()
    this.#present = undefined
    if (!this.#provenances?.isWaiting) this.#exported.clear()
    this.#waitingOwners++
    if (this.#waitingOwners >= waitingOwnersMax || this.#heldBytes >= waitingBytesMax) await this.settle()
  }

  /** Exports all that waits. */
  async settle(): Promise<void> {
    const { pool, at } = this.#selection
    const found = await typesOfOwners(pool, at.tenant, this.#unknown)
    for (const [type, queue] of this.#types) await queue.settle((owner) => found.get(owner)?.has(type) ?? true)
    this.#exported.clear()
    this.#unknown = []
    this.#waitingOwners = 0
  }

  get #heldBytes(): number {
    let bytes = 0
    for (const { heldBytes } of this.#types.values()) bytes += heldBytes
    return bytes
  }
}

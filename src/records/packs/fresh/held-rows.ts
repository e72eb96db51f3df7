import { ownersIn, type WrittenRows } from './written-rows.ts'

/** What a Provenance is about. */
interface Target {
  readonly type: string
  readonly id: string
  readonly owners: readonly string[]
  /** When it came, milliseconds since 1970; undefined when it is not there. */
  readonly came: number | undefined
}

/** The rows of one write while packs are made of them. */
export class HeldRows {
  readonly tenant: string
  readonly bytes: Buffer
  readonly starts: Int32Array
  readonly written: number
  readonly #changes = new Map<string, string>()
  readonly #targets = new Map<string, Target>()
  readonly release: () => void

  constructor({ tenant, bytes, starts, written, marks, targets }: WrittenRows, release: () => void) {
    this.tenant = tenant
    this.bytes = bytes
    this.starts = starts
    this.written = written
    this.release = release
    const [owners, types, changes] = [listed(marks.owners), listed(marks.types), listed(marks.changes)]
    for (const [index, owner] of owners.entries()) this.#changes.set(`${owner} ${types[index]}`, changes[index]!)
    const [targetTypes, targetOwners, came] = [targets.types, targets.owners, targets.came].map((list) =>
      list.split(' '),
    )
    for (const [index, id] of listed(targets.ids).entries()) {
      const [type, owners, time] = [targetTypes![index]!, targetOwners![index]!, came![index]!]
      this.#targets.set(`${type}/${id}`, {
        type,
        id,
        owners: ownersIn(owners),
        came: time === '' ? undefined : Number(time),
      })
    }
  }

  /** The number that the mark of an owner and type has got. */
  changeOf(owner: string, type: string): string {
    return this.#changes.get(`${owner} ${type}`)!
  }

  /** @param reference `Type/id`, of one of the rows */
  target(reference: string): Target {
    return this.#targets.get(reference)!
  }
}

const listed = (list: string): string[] => (list === '' ? [] : list.split(' '))

import type { WrittenRows } from './written-rows.ts'

/** The rows of one write while packs are made of them. */
export class HeldRows {
  readonly tenant: string
  readonly bytes: Buffer
  readonly starts: Int32Array
  readonly written: number
  readonly #changes = new Map<string, string>()
  readonly #came = new Map<string, number>()
  readonly release: () => void

  constructor({ tenant, bytes, starts, written, marks, targets }: WrittenRows, release: () => void) {
    this.tenant = tenant
    this.bytes = bytes
    this.starts = starts
    this.written = written
    this.release = release
    const [owners, types, changes] = [listed(marks.owners), listed(marks.types), listed(marks.changes)]
    for (const [index, owner] of owners.entries()) this.#changes.set(`${owner} ${types[index]}`, changes[index]!)
    const [targetTypes, ids, came] = [listed(targets.types), listed(targets.ids), targets.came.split(' ')]
    for (const [index, id] of ids.entries())
      if (came[index] !== '') this.#came.set(`${targetTypes[index]}/${id}`, Number(came[index]))
  }

  /** The number that the mark of an owner and type has got. */
  changeOf(owner: string, type: string): string {
    return this.#changes.get(`${owner} ${type}`)!
  }

  /** When a target of a Provenance came, milliseconds since 1970; undefined when it is not there. */
  came(target: string): number | undefined {
    return this.#came.get(target)
  }
}

const listed = (list: string): string[] => (list === '' ? [] : list.split(' '))

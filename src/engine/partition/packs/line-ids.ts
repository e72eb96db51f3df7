import { NamedMembers } from '../../../fhir/json/named-members.ts'

const quote = 0x22

/** Reads the ids of stored lines of one type. */
export class LineIds {
  /** How most lines begin, up to the id. No key stands twice in a stored line. */
  readonly #head: Buffer
  readonly #members = new NamedMembers(['id'])

  constructor(type: string) {
    this.#head = Buffer.from(`{"resourceType":"${type}","id":"`)
  }

  /** @param lines in [start, end) the text of a record */
  read(lines: Buffer, start: number, end: number): string {
    const from = start + this.#head.length
    if (this.#head.compare(lines, start, from) === 0) {
      const id = lines.toString('latin1', from, lines.indexOf(quote, from))
      if (!id.includes('\\')) return id
    }
    if (!this.#members.find(lines, start, end)) return JSON.parse(lines.toString('utf8', start, end)).id
    return JSON.parse(lines.toString('utf8', this.#members.starts[0]!, this.#members.ends[0]!))
  }
}

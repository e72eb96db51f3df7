import { JsonCursor } from './json-cursor.ts'
import { KeyTable } from './key-table.ts'

const openBrace = 0x7b
const closeBrace = 0x7d
const comma = 0x2c
const colon = 0x3a

/** Finds those members of a JSON object that have certain names, and looks at no other. It goes once through the bytes. */
export class NamedMembers {
  /** By the index of a name where its value begins and ends; the end is 0 when there is no such member. */
  readonly starts: Int32Array
  readonly ends: Int32Array
  readonly #names: KeyTable
  readonly #json = new JsonCursor()

  /** @param names ASCII */
  constructor(names: readonly string[]) {
    this.#names = new KeyTable(names)
    this.starts = new Int32Array(names.length)
    this.ends = new Int32Array(names.length)
  }

  /**
   * Of two members of one name the last counts, as it does for `JSON.parse`.
   * @param bytes in [start, end) a JSON text on one line that has been read before: whether it is JSON is not asked again
   * @returns false for what is to be parsed: no object, blanks around it, a key with escapes
   */
  find(bytes: Uint8Array, start: number, end: number): boolean {
    const json = this.#json
    json.enter(bytes, start, end)
    this.ends.fill(0)
    if (bytes[json.at++] !== openBrace) return false
    json.skipBlanks()
    if (bytes[json.at] === closeBrace) return json.at + 1 === end
    for (;;) {
      if (!this.#member()) return false
      json.skipBlanks()
      const code = bytes[json.at++]
      if (code === closeBrace) return json.at === end
      if (code !== comma) return false
      json.skipBlanks()
    }
  }

  #member(): boolean {
    const json = this.#json
    const keyStart = json.at + 1
    const hash = json.key()
    if (hash === undefined) return false
    const index = this.#names.indexOf(hash, json.bytes, keyStart, json.at - 1)
    json.skipBlanks()
    if (json.bytes[json.at++] !== colon) return false
    json.skipBlanks()
    const start = json.at
    if (!json.skipValue()) return false
    if (index >= 0) {
      this.starts[index] = start
      this.ends[index] = json.at
    }
    return true
  }
}

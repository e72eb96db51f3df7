import { nextHash } from '../json/json-cursor.ts'
import { KeyTable } from '../json/key-table.ts'
import type { Span } from '../resource-scan.ts'
import { allTypes, type ResourceType } from '../resource-types.ts'

const table = new KeyTable(allTypes)

const [letter, other] = [1, 2]
/** The characters of ids: letters, and others. */
const kinds = new Uint8Array(256)
for (const code of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')) kinds[code] = letter
for (const code of Buffer.from('0123456789-.')) kinds[code] = other

const slash = 0x2f
const [typeBytesMin, typeBytesMax, idBytesMax] = [2, 64, 64]

/**
 * Reads references that are simply `Type/id` from the bytes that they stand in: nearly all are, and of most of them nothing has to be
 * known but that. For the others there is `localReference`, which says the same of these.
 */
export class SimpleReference {
  /** The type, where R4 has it. */
  type: ResourceType | undefined
  #bytes: Buffer = Buffer.alloc(0)
  #start = 0
  #slash = 0
  #end = 0

  /** Goes to a reference, if it is a simple one. */
  enter(bytes: Buffer, { start, end }: Span): boolean {
    let at = start
    let hash = 0
    if (bytes[at]! > 0x5a) return false
    for (; at < end && kinds[bytes[at]!] === letter; at++) hash = nextHash(hash, bytes[at]!)
    const typeBytes = at - start
    if (typeBytes < typeBytesMin || typeBytes > typeBytesMax || bytes[at] !== slash || at === end) return false
    this.#slash = at
    for (at++; at < end; at++) if (kinds[bytes[at]!] === 0) return false
    const idBytes = end - this.#slash - 1
    if (idBytes === 0 || idBytes > idBytesMax) return false
    const index = table.indexOf(hash, bytes, start, this.#slash)
    this.type = index < 0 ? undefined : allTypes[index]
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    return true
  }

  get id(): string {
    return this.#bytes.toString('latin1', this.#slash + 1, this.#end)
  }

  /** `Type/id` */
  get key(): string {
    return this.#bytes.toString('latin1', this.#start, this.#end)
  }
}

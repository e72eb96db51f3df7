import { JsonCursor } from './json/json-cursor.ts'
import { jsonDepthMax } from './json/json-text.ts'
import { type KnownKey, knownKey } from './known-key.ts'
import { OpenKeys } from './open-keys.ts'
import { isWholeScan, nothingFound, type ResourceScan, type Span } from './resource-scan.ts'

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const [letterT, letterF, letterN] = [0x74, 0x66, 0x6e]

/**
 * What an object or array is in the resource: the resource itself, one of its members, or anything within. The arrays `target` and
 * `identifier` have objects with the same place. Places tell what the members mean.
 */
type Place = 'root' | 'meta' | 'subject' | 'patient' | 'target' | 'identifier' | 'within'

/**
 * Reads the bytes of resources once, without making anything of them but positions: several times faster than parsing, and a load
 * reads millions. It checks that they are JSON, and gives up where it would have to think.
 *
 * It descends into the text, with a method for each production of JSON and for each place where a member means something. All of them
 * move one cursor: each reads one thing that begins there, leaves it behind that, and gives false when the scan is to be given up.
 */
export class ResourceScanner {
  readonly #json = new JsonCursor()
  readonly #keys = new OpenKeys()
  #found = nothingFound()

  /**
   * @param bytes valid UTF-8
   * @returns undefined for what is to be read with `readResourceText`, which decides: no resource at all, blanks around it or
   * line breaks in it, escapes in keys or in strings of interest, keys that (perhaps) stand twice, nesting that (perhaps) is too deep
   */
  scan(bytes: Uint8Array): ResourceScan | undefined {
    this.#json.enter(bytes, 0, bytes.length)
    this.#keys.forget(0)
    this.#found = nothingFound()
    if (bytes[0] !== openBrace || !this.#object('root', 0) || this.#json.at !== bytes.length) return undefined
    return isWholeScan(this.#found) ? this.#found : undefined
  }

  // JSON

  /** @param depth how many objects and arrays are around this one */
  #object(place: Place, depth: number): boolean {
    if (depth >= jsonDepthMax) return false
    if (place === 'identifier') this.#found.identifiers.push({ system: undefined, value: undefined })
    const firstKey = this.#keys.count
    this.#json.at++
    this.#json.skipBlanks()
    if (this.#json.bytes[this.#json.at] === closeBrace) {
      this.#json.at++
      return true
    }
    for (;;) {
      if (!this.#member(place, depth, firstKey)) return false
      this.#json.skipBlanks()
      const code = this.#json.bytes[this.#json.at++]
      if (code === closeBrace) {
        this.#keys.forget(firstKey)
        return true
      }
      if (code !== comma) return false
      this.#json.skipBlanks()
    }
  }

  /**
   * @param place what the object is
   * @param firstKey where the keys of the object begin
   */
  #member(place: Place, depth: number, firstKey: number): boolean {
    const start = this.#json.at
    const hash = this.#json.key()
    if (hash === undefined || !this.#keys.add(hash, firstKey)) return false
    const key = knownKey(hash, this.#json.bytes, start + 1, this.#json.at - 1)
    this.#json.skipBlanks()
    if (this.#json.bytes[this.#json.at++] !== colon) return false
    this.#json.skipBlanks()
    if (key === undefined && place !== 'meta') return this.#value('within', depth)
    if (place === 'root') return this.#rootValue(key, depth)
    if (place === 'meta') return this.#metaValue(key, depth, start)
    if (place === 'identifier' && (key === 'system' || key === 'value')) return this.#identifierValue(key)
    return this.#innerValue(place, key, depth)
  }

  #array(place: Place, depth: number): boolean {
    if (depth >= jsonDepthMax) return false
    this.#json.at++
    this.#json.skipBlanks()
    if (this.#json.bytes[this.#json.at] === closeBracket) {
      this.#json.at++
      return true
    }
    for (;;) {
      if (!this.#value(place, depth)) return false
      this.#json.skipBlanks()
      const code = this.#json.bytes[this.#json.at++]
      if (code === closeBracket) return true
      if (code !== comma) return false
      this.#json.skipBlanks()
    }
  }

  /** @param place what the value is, if it is an object */
  #value(place: Place, depth: number): boolean {
    switch (this.#json.bytes[this.#json.at]) {
      case quote:
        return this.#json.string()
      case openBrace:
        return this.#object(place, depth + 1)
      case openBracket:
        return this.#array('within', depth + 1)
      case letterT:
        return this.#json.literal('true')
      case letterF:
        return this.#json.literal('false')
      case letterN:
        return this.#json.literal('null')
      default:
        return this.#json.number()
    }
  }

  // What members mean

  /** The value of a member of the resource. */
  #rootValue(key: KnownKey | undefined, depth: number): boolean {
    const start = this.#json.at
    const opening = this.#json.bytes[start]
    switch (key) {
      case 'resourceType':
        this.#found.resourceType = this.#plainString()
        return this.#found.resourceType !== undefined
      case 'id':
        this.#found.id = this.#plainString()
        return this.#found.id !== undefined
      case 'meta':
        if (opening !== openBrace || !this.#object('meta', depth + 1)) return false
        this.#found.meta = { start, end: this.#json.at }
        return true
      case 'subject':
      case 'patient':
        return this.#value(key, depth)
      case 'target':
        return opening === openBracket ? this.#array('target', depth + 1) : this.#value('within', depth)
      case 'identifier':
        return opening === openBracket ? this.#array('identifier', depth + 1) : this.#value('identifier', depth)
      default:
        return this.#innerValue('root', key, depth)
    }
  }

  /**
   * The value of a member of `meta`.
   * @param start where the member begins
   */
  #metaValue(key: KnownKey | undefined, depth: number, start: number): boolean {
    if (key === 'lastUpdated' && this.#json.bytes[this.#json.at] === quote) {
      this.#found.lastUpdated = this.#plainString()
      return this.#found.lastUpdated !== undefined
    }
    if (!this.#innerValue('meta', key, depth)) return false
    if (key !== 'versionId' && key !== 'lastUpdated') this.#found.metaKept.push({ start, end: this.#json.at })
    return true
  }

  /** The value of a member of the identifier that is being read. */
  #identifierValue(key: 'system' | 'value'): boolean {
    const text = this.#plainString()
    this.#found.identifiers.at(-1)![key] = text
    return text !== undefined
  }

  /** The value of a member that means nothing, unless it is a reference: what that is of, the place of its object tells. */
  #innerValue(place: Place, key: KnownKey | undefined, depth: number): boolean {
    if (key !== 'reference' || this.#json.bytes[this.#json.at] !== quote) return this.#value('within', depth)
    const reference = this.#plainString()
    if (reference === undefined) return false
    this.#found.references.push(reference)
    if (place === 'subject') this.#found.subject = reference
    else if (place === 'patient') this.#found.patient = reference
    else if (place === 'target') this.#found.targets.push(reference)
    return true
  }

  /** A string without escapes: what is between its quotes. Undefined when there is none. */
  #plainString(): Span | undefined {
    const start = this.#json.at + 1
    if (this.#json.bytes[start - 1] !== quote || !this.#json.plainString()) return undefined
    return { start, end: this.#json.at - 1 }
  }
}

import { hashOfKey, JsonCursor } from './json-cursor.ts'
import { jsonDepthMax } from './json-text.ts'

/** Bytes [start, end) of a resource; of a string those between its quotes. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Where that stands in the bytes of a resource what Millrace looks at. All strings are without escapes. */
export interface ResourceScan {
  readonly resourceType: Span
  readonly id: Span
  /** The object `meta` with its braces. */
  readonly meta: Span | undefined
  /** Its members but `versionId` and `lastUpdated`, each from its key on. */
  readonly metaKept: readonly Span[]
  readonly lastUpdated: Span | undefined
  /** `subject.reference` and `patient.reference`. */
  readonly subject: Span | undefined
  readonly patient: Span | undefined
  /** `reference` of each of the objects in `target`. */
  readonly targets: readonly Span[]
  /** `reference` at any depth, the ones above too. */
  readonly references: readonly Span[]
  /** `identifier`: the objects in it, or the one that it is. */
  readonly identifiers: readonly IdentifierScan[]
}

/** `system` and `value` of an identifier, where they are strings. */
interface IdentifierScan {
  readonly system: Span | undefined
  readonly value: Span | undefined
}

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/** The distinct keys that all open objects may have together. */
const keysMax = 512

/** What an object or array is in the resource. */
type Place = 'root' | 'meta' | 'subject' | 'patient' | 'target' | 'identifier' | 'within'

const knownKeys = [
  'reference',
  'resourceType',
  'id',
  'meta',
  'subject',
  'patient',
  'target',
  'identifier',
  'system',
  'value',
  'versionId',
  'lastUpdated',
] as const
type KnownKey = (typeof knownKeys)[number]
const knownByHash: ReadonlyMap<number, KnownKey> = new Map(knownKeys.map((key) => [hashOfKey(key), key]))

/**
 * Reads the bytes of resources once, without making anything of them but positions: several times faster than parsing, and a load
 * reads millions. It checks that they are JSON, and gives up where it would have to think.
 */
export class ResourceScanner {
  readonly #json = new JsonCursor()
  readonly #keys = new Int32Array(keysMax)
  #keyCount = 0
  #resourceType: Span | undefined
  #id: Span | undefined
  #meta: Span | undefined
  #metaKept: Span[] = []
  #lastUpdated: Span | undefined
  #subject: Span | undefined
  #patient: Span | undefined
  #targets: Span[] = []
  #references: Span[] = []
  #identifiers: { system: Span | undefined; value: Span | undefined }[] = []

  /**
   * @param bytes valid UTF-8
   * @returns undefined for what is to be read with `readResourceText`, which decides: no resource at all, blanks around it or
   * line breaks in it, escapes in keys or in strings of interest, keys that (perhaps) stand twice, nesting that (perhaps) is too deep
   */
  scan(bytes: Uint8Array): ResourceScan | undefined {
    this.#reset(bytes)
    if (bytes[0] !== openBrace || !this.#object('root', 0) || this.#json.at !== bytes.length) return undefined
    const [resourceType, id, meta] = [this.#resourceType, this.#id, this.#meta]
    if (resourceType === undefined || id === undefined) return undefined
    return {
      resourceType,
      id,
      meta,
      metaKept: this.#metaKept,
      lastUpdated: this.#lastUpdated,
      subject: this.#subject,
      patient: this.#patient,
      targets: this.#targets,
      references: this.#references,
      identifiers: this.#identifiers,
    }
  }

  #reset(bytes: Uint8Array): void {
    this.#json.bytes = bytes
    this.#json.at = 0
    this.#keyCount = 0
    this.#resourceType = undefined
    this.#id = undefined
    this.#meta = undefined
    this.#metaKept = []
    this.#lastUpdated = undefined
    this.#subject = undefined
    this.#patient = undefined
    this.#targets = []
    this.#references = []
    this.#identifiers = []
  }

  // Each of these reads one thing, as those of the cursor do; false means to give up.

  #object(place: Place, depth: number): boolean {
    if (depth >= jsonDepthMax) return false
    if (place === 'identifier') this.#identifiers.push({ system: undefined, value: undefined })
    const outer = this.#keyCount
    this.#json.at++
    this.#json.skipBlanks()
    if (this.#json.bytes[this.#json.at] === closeBrace) {
      this.#json.at++
      return true
    }
    for (;;) {
      if (!this.#member(place, depth, outer)) return false
      this.#json.skipBlanks()
      const code = this.#json.bytes[this.#json.at++]
      if (code === closeBrace) {
        this.#keyCount = outer
        return true
      }
      if (code !== comma) return false
      this.#json.skipBlanks()
    }
  }

  /** @param outer how many keys are those of the objects around this one */
  #member(place: Place, depth: number, outer: number): boolean {
    const start = this.#json.at
    const hash = this.#json.key()
    if (hash === undefined || !this.#isNew(hash, outer)) return false
    const keyEnd = this.#json.at - 1
    this.#json.skipBlanks()
    if (this.#json.bytes[this.#json.at++] !== colon) return false
    this.#json.skipBlanks()
    const known = this.#known(hash, start + 1, keyEnd)
    const valueStart = this.#json.at
    if (place === 'root' && known !== undefined && known !== 'reference') return this.#rootValue(known, depth)
    if (known === 'reference' && this.#json.bytes[valueStart] === quote) {
      if (!this.#json.plainString()) return false
      this.#noteReference(place, { start: valueStart + 1, end: this.#json.at - 1 })
    } else if (place === 'meta' && known === 'lastUpdated' && this.#json.bytes[valueStart] === quote) {
      if (!this.#json.plainString()) return false
      this.#lastUpdated = { start: valueStart + 1, end: this.#json.at - 1 }
    } else if (place === 'identifier' && (known === 'system' || known === 'value')) {
      if (this.#json.bytes[valueStart] !== quote || !this.#json.plainString()) return false
      this.#identifiers.at(-1)![known] = { start: valueStart + 1, end: this.#json.at - 1 }
    } else if (!this.#value('within', depth)) return false
    if (place === 'meta' && known !== 'versionId' && known !== 'lastUpdated') {
      this.#metaKept.push({ start, end: this.#json.at })
    }
    return true
  }

  #rootValue(key: KnownKey, depth: number): boolean {
    const start = this.#json.at
    const opening = this.#json.bytes[start]
    switch (key) {
      case 'resourceType':
      case 'id': {
        if (opening !== quote || !this.#json.plainString()) return false
        const span = { start: start + 1, end: this.#json.at - 1 }
        if (key === 'id') this.#id = span
        else this.#resourceType = span
        return true
      }
      case 'meta':
        if (opening !== openBrace || !this.#object('meta', depth + 1)) return false
        this.#meta = { start, end: this.#json.at }
        return true
      case 'subject':
      case 'patient':
        return opening === openBrace ? this.#object(key, depth + 1) : this.#value('within', depth)
      case 'target':
        return opening === openBracket ? this.#array('target', depth + 1) : this.#value('within', depth)
      case 'identifier':
        return opening === openBracket ? this.#array('identifier', depth + 1) : this.#value('identifier', depth)
      default:
        return this.#value('within', depth)
    }
  }

  #noteReference(place: Place, reference: Span): void {
    this.#references.push(reference)
    if (place === 'subject') this.#subject = reference
    else if (place === 'patient') this.#patient = reference
    else if (place === 'target') this.#targets.push(reference)
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

  #value(place: Place, depth: number): boolean {
    switch (this.#json.bytes[this.#json.at]) {
      case quote:
        return this.#json.string()
      case openBrace:
        return this.#object(place, depth + 1)
      case openBracket:
        return this.#array('within', depth + 1)
      case 0x74:
        return this.#json.literal('true')
      case 0x66:
        return this.#json.literal('false')
      case 0x6e:
        return this.#json.literal('null')
      default:
        return this.#json.number()
    }
  }

  #isNew(hash: number, outer: number): boolean {
    for (let index = outer; index < this.#keyCount; index++) if (this.#keys[index] === hash) return false
    if (this.#keyCount === keysMax) return false
    this.#keys[this.#keyCount++] = hash
    return true
  }

  #known(hash: number, start: number, end: number): KnownKey | undefined {
    const key = knownByHash.get(hash)
    if (key === undefined || key.length !== end - start) return undefined
    for (let at = 0; at < key.length; at++) if (key.charCodeAt(at) !== this.#json.bytes[start + at]) return undefined
    return key
  }
}

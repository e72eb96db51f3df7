import { JsonCursor } from './json-cursor.ts'
import type { JsonBounds } from './json-excess.ts'

/** Why bytes are not to be read: they go beyond a bound, or are no JSON. */
export type JsonVerdict = 'depth' | 'values' | 'syntax'

/**
 * What speaks against reading bytes as JSON; undefined for what JSON.parse accepts within the bounds. One pass that makes nothing:
 * a parser would make objects of a whole Bundle, which are looked at by nobody, and collected again for longer than the pass takes.
 * @param bytes valid UTF-8
 */
export function jsonVerdict(bytes: Uint8Array, bounds: JsonBounds): JsonVerdict | undefined {
  return new Judge(bytes, bounds).verdict()
}

class Judge {
  readonly #json = new JsonCursor()
  readonly #bounds: JsonBounds
  /** Counted as `JsonBounds` says. */
  #values = 0
  #excess: 'depth' | 'values' | undefined

  constructor(bytes: Uint8Array, bounds: JsonBounds) {
    this.#bounds = bounds
    this.#json.enter(bytes, 0, bytes.length)
  }

  verdict(): JsonVerdict | undefined {
    this.#skipBlanks()
    const isValue = this.#value(0)
    this.#skipBlanks()
    return isValue && this.#json.at === this.#json.end ? undefined : (this.#excess ?? 'syntax')
  }

  #value(depth: number): boolean {
    switch (this.#json.bytes[this.#json.at]) {
      case quote:
        return this.#json.string()
      case 0x7b:
        return this.#list(depth + 1, 0x7d, true)
      case 0x5b:
        return this.#list(depth + 1, 0x5d, false)
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

  /** An object or an array, which ends with `close`. */
  #list(depth: number, close: number, named: boolean): boolean {
    if (depth > this.#bounds.depthMax) return this.#exceeds('depth')
    if (!this.#count()) return false
    this.#json.at++
    this.#skipBlanks()
    if (this.#json.bytes[this.#json.at] === close) {
      this.#json.at++
      return true
    }
    for (;;) {
      if ((named && !this.#name()) || !this.#value(depth)) return false
      this.#skipBlanks()
      const code = this.#json.bytes[this.#json.at++]
      if (code === close) return true
      if (code !== comma || !this.#count()) return false
      this.#skipBlanks()
    }
  }

  /** The name of a member and what stands between it and its value. */
  #name(): boolean {
    if (this.#json.bytes[this.#json.at] !== quote || !this.#json.string()) return false
    this.#skipBlanks()
    if (this.#json.bytes[this.#json.at++] !== colon) return false
    this.#skipBlanks()
    return true
  }

  #count(): boolean {
    return ++this.#values <= this.#bounds.valuesMax || this.#exceeds('values')
  }

  #exceeds(bound: 'depth' | 'values'): false {
    this.#excess = bound
    return false
  }

  /** Blanks of many lines. */
  #skipBlanks(): void {
    const { bytes } = this.#json
    let at = this.#json.at
    for (let code = bytes[at]; code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09; code = bytes[++at]);
    this.#json.at = at
  }
}

const quote = 0x22
const comma = 0x2c
const colon = 0x3a

/** Hashes of keys: equal keys have equal ones. */
export const hashOfKey = (key: string): number => {
  let hash = 0
  for (let at = 0; at < key.length; at++) hash = nextHash(hash, key.charCodeAt(at))
  return hash
}
export const nextHash = (hash: number, code: number): number => (Math.imul(hash, 31) + code) | 0

const quote = 0x22
const backslash = 0x5c

/** 1 for the bytes that mean nothing in a string. Most bytes of a text are looked at here. */
const isPlain = new Uint8Array(256).fill(1, 0x20)
isPlain[quote] = 0
isPlain[backslash] = 0

/**
 * A place in the bytes of a JSON text on one line. Each method reads one thing that begins at `at`, and leaves `at` behind it. When
 * there is no such thing it says so, and where `at` is then means nothing.
 */
export class JsonCursor {
  bytes: Uint8Array = new Uint8Array(0)
  at = 0
  /** Where the text ends. */
  end = 0

  /** Goes to the beginning of the text that stands in [start, end). */
  enter(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  /** A key without escapes: its hash. */
  key(): number | undefined {
    const bytes = this.bytes
    if (bytes[this.at] !== quote) return undefined
    const end = this.end
    let hash = 0
    for (let at = this.at + 1; at < end; at++) {
      const code = bytes[at]!
      if (isPlain[code] === 1) hash = nextHash(hash, code)
      else if (code === quote) {
        this.at = at + 1
        return hash
      } else return undefined
    }
    return undefined
  }

  string(): boolean {
    return this.#string(true)
  }

  /** A string without escapes. */
  plainString(): boolean {
    return this.#string(false)
  }

  #string(mayEscape: boolean): boolean {
    const { bytes, end } = this
    for (let at = this.at + 1; at < end; at++) {
      const code = bytes[at]!
      if (isPlain[code] === 1) continue
      if (code === quote) {
        this.at = at + 1
        return true
      }
      const next = code === backslash && mayEscape ? escapeEnd(bytes, at) : undefined
      if (next === undefined) return false
      at = next - 1
    }
    return false
  }

  literal(word: string): boolean {
    for (let index = 0; index < word.length; index++) {
      if (this.bytes[this.at + index] !== word.charCodeAt(index)) return false
    }
    this.at += word.length
    return true
  }

  number(): boolean {
    if (this.bytes[this.at] === 0x2d) this.at++
    if (this.bytes[this.at] === 0x30) this.at++
    else if (!this.#digits()) return false
    if (this.bytes[this.at] === 0x2e) {
      this.at++
      if (!this.#digits()) return false
    }
    if ((this.bytes[this.at]! | 0x20) !== 0x65) return true
    this.at++
    const sign = this.bytes[this.at]
    if (sign === 0x2b || sign === 0x2d) this.at++
    return this.#digits()
  }

  #digits(): boolean {
    const start = this.at
    while (isDigit(this.bytes[this.at]!)) this.at++
    return this.at > start
  }

  /**
   * Any value of a text that is known to be JSON: nothing is looked at but where strings and brackets end. Also where the text is not what
   * it is taken for, no value goes on behind its end.
   */
  skipValue(): boolean {
    const { bytes, end } = this
    let depth = 0
    for (let at = this.at; at < end; at++) {
      const code = bytes[at]!
      // A brace differs from a bracket by one bit.
      const bracket = code | 0x20
      if (code === quote) at = knownStringEnd(bytes, at, end) - 1
      else if (bracket === 0x7b) depth++
      else if (bracket === 0x7d) depth--
      else if (depth === 0) at = knownPlainEnd(bytes, at, end) - 1
      if (depth > 0) continue
      this.at = at + 1
      return depth === 0 && at < end
    }
    return false
  }

  /** Blanks of one line. */
  skipBlanks(): void {
    for (let code = this.bytes[this.at]; code === 0x20 || code === 0x09; code = this.bytes[++this.at]);
  }
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

const isHexDigit = (code: number): boolean => isDigit(code) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66)

const escapable: ReadonlySet<number> = new Set(Buffer.from('"\\/bfnrt'))

/** The position after the escape that begins at `start`; undefined when JSON has no such escape. */
function escapeEnd(bytes: Uint8Array, start: number): number | undefined {
  const code = bytes[start + 1]!
  if (escapable.has(code)) return start + 2
  if (code !== 0x75) return undefined
  for (let at = start + 2; at < start + 6; at++) if (!isHexDigit(bytes[at]!)) return undefined
  return start + 6
}

/** The position after the string of a known text whose opening quote is at `start`; behind the end when it does not end. */
function knownStringEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start + 1; at < end; at++) {
    const code = bytes[at]!
    if (code === quote) return at + 1
    if (code === backslash) at++
  }
  return end + 1
}

/** The position after the number or literal of a known text that begins at `start`. */
function knownPlainEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start + 1
  for (; at < end; at++) {
    const code = bytes[at]!
    if (code <= 0x20 || code === 0x2c || (code | 0x20) === 0x7d) break
  }
  return at
}

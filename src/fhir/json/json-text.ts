/** One member of a JSON object, as positions in its text: the key's opening quote, and the value's first and last-plus-one character. */
export interface Member {
  readonly key: string
  readonly start: number
  readonly valueStart: number
  readonly valueEnd: number
}

const quote = 0x22
const backslash = 0x5c
const colon = 0x3a

/** The deepest nesting of arrays and objects that a record may have. */
export const jsonDepthMax = 100

const isBlank = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

export function skipBlanks(text: string, position: number): number {
  let at = position
  while (isBlank(text.charCodeAt(at))) at++
  return at
}

/** The position after the string whose opening quote is at `position`, in a text that JSON.parse has accepted. */
export function skipString(text: string, position: number): number {
  for (let end = text.indexOf('"', position + 1); ; end = text.indexOf('"', end + 1)) {
    let before = end - 1
    while (text.charCodeAt(before) === backslash) before--
    // An even number of backslashes escapes one another, and not the quote.
    if ((end - before) % 2 === 1) return end + 1
  }
}

/** The position after the value that begins at `position`, or -1 when it nests deeper than `jsonDepthMax`. */
function skipValue(text: string, position: number): number {
  let at = position
  let depth = 0
  for (;;) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = skipString(text, at)
      if (depth === 0) return at
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > jsonDepthMax) return -1
      at++
    } else if (code === 0x7d || code === 0x5d) {
      if (depth === 0) return at
      at++
      if (--depth === 0) return at
    } else if (depth === 0 && (code === 0x2c || isBlank(code) || Number.isNaN(code))) {
      return at
    } else {
      at++
    }
  }
}

function keyOf(text: string, start: number, end: number): string {
  const key = text.slice(start + 1, end - 1)
  return key.includes('\\') ? (JSON.parse(`"${key}"`) as string) : key
}

/**
 * The members of the object that begins at `open` in a text that JSON.parse has accepted.
 * Positions let a caller change one member and leave every other byte as the client wrote it.
 * @returns undefined when a member nests deeper than `jsonDepthMax`
 */
export function membersOf(text: string, open = skipBlanks(text, 0)): Member[] | undefined {
  const members: Member[] = []
  let at = skipBlanks(text, open + 1)
  while (text.charCodeAt(at) === quote) {
    const start = at
    const keyEnd = skipString(text, start)
    const valueStart = skipBlanks(text, skipBlanks(text, keyEnd) + 1)
    const valueEnd = skipValue(text, valueStart)
    if (valueEnd < 0) return undefined
    members.push({ key: keyOf(text, start, keyEnd), start, valueStart, valueEnd })
    at = skipBlanks(text, valueEnd)
    if (text.charCodeAt(at) === 0x2c) at = skipBlanks(text, at + 1)
  }
  return members
}

/** The positions [start, end) of the items of the array that begins at `open`; undefined when one nests too deep. */
export function itemsOf(text: string, open: number): [number, number][] | undefined {
  const items: [number, number][] = []
  let at = skipBlanks(text, open + 1)
  while (at < text.length && text.charCodeAt(at) !== 0x5d) {
    const end = skipValue(text, at)
    if (end < 0) return undefined
    items.push([at, end])
    at = skipBlanks(text, end)
    if (text.charCodeAt(at) === 0x2c) at = skipBlanks(text, at + 1)
  }
  return items
}

/**
 * A key that stands twice in one object, at any depth of a text that JSON.parse has accepted. Parsers differ in which of the two
 * they believe, so such a text says different things to different readers.
 */
export function repeatedKey(text: string): string | undefined {
  /** The keys of every object that is open, the innermost last; undefined for an array. */
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at)
    const end = code === quote ? skipString(text, at) : at + 1
    if (code === quote) {
      const keys = open.at(-1)
      if (keys && text.charCodeAt(skipBlanks(text, end)) === colon) {
        const key = keyOf(text, at, end)
        if (keys.has(key)) return key
        keys.add(key)
      }
    } else if (code === 0x7b) open.push(new Set())
    else if (code === 0x5b) open.push(undefined)
    else if (code === 0x7d || code === 0x5d) open.pop()
    at = end
  }
  return undefined
}

/** The same JSON on one line: blanks outside strings go when there is a line break, numbers and strings stay to the letter. */
export function oneLine(text: string): string {
  if (!/[\n\r]/.test(text)) return text.trim()
  const pieces: string[] = []
  for (let at = skipBlanks(text, 0); at < text.length; ) {
    const start = at
    while (at < text.length && !isBlank(text.charCodeAt(at))) {
      at = text.charCodeAt(at) === quote ? skipString(text, at) : at + 1
    }
    pieces.push(text.slice(start, at))
    at = skipBlanks(text, at)
  }
  return pieces.join('')
}

/**
 * Where a text ceases to be JSON: the place of the first character that cannot stand there, or the text's length when more would have
 * to come; undefined for JSON. The parser's own message quotes the text, and so perhaps a patient.
 */
export function jsonFaultAt(text: string): number | undefined {
  /** The closing bracket of each array and object that is open. */
  const open: string[] = []
  let awaited: 'value' | 'first item' | 'key' | 'first key' | 'next' = 'value'
  let at = blanksEnd(text, 0)
  while (at < text.length) {
    const character = text[at]!
    const closes = awaited === 'next' || awaited === 'first item' || awaited === 'first key'
    if (closes && open.length > 0 && character === open.at(-1)) {
      open.pop()
      awaited = 'next'
      at++
    } else if (awaited === 'next') {
      if (character !== ',' || open.length === 0) return at
      awaited = open.at(-1) === '}' ? 'key' : 'value'
      at++
    } else if (awaited === 'key' || awaited === 'first key') {
      if (character !== '"') return at
      const end = stringEnd(text, at)
      if (end.fault !== undefined) return end.fault
      const colon = blanksEnd(text, end.end)
      if (text[colon] !== ':') return colon
      awaited = 'value'
      at = colon + 1
    } else if (character === '{' || character === '[') {
      open.push(character === '{' ? '}' : ']')
      awaited = character === '{' ? 'first key' : 'first item'
      at++
    } else {
      const end = character === '"' ? stringEnd(text, at) : plainEnd(text, at)
      if (end.fault !== undefined) return end.fault
      awaited = 'next'
      at = end.end
    }
    at = blanksEnd(text, at)
  }
  return awaited === 'next' && open.length === 0 ? undefined : text.length
}

/** For people: what is wrong with a text that JSON.parse has refused, as what follows "it". Never a piece of the text. */
export function jsonFault(text: string): string {
  const at = jsonFaultAt(text) ?? text.length
  const before = text.slice(0, at)
  const line = before.split('\n').length
  const place = line === 1 ? `character ${at + 1}` : `line ${line}, character ${at - before.lastIndexOf('\n')}`
  return at === text.length ? `ends too early, at ${place}` : `is wrong at ${place}`
}

type End = { readonly end: number; readonly fault?: undefined } | { readonly fault: number }

const isBlank = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

function blanksEnd(text: string, start: number): number {
  let at = start
  while (isBlank(text.charCodeAt(at))) at++
  return at
}

const escapePattern = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

function stringEnd(text: string, start: number): End {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) return { end: at + 1 }
    if (code < 0x20) return { fault: at }
    if (code !== 0x5c) continue
    escapePattern.lastIndex = at
    const [pair] = escapePattern.exec(text) ?? []
    if (pair === undefined) return { fault: at }
    at += pair.length - 1
  }
  return { fault: text.length }
}

const plainPattern = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** A number or a literal. */
function plainEnd(text: string, start: number): End {
  plainPattern.lastIndex = start
  const [plain] = plainPattern.exec(text) ?? []
  return plain === undefined ? { fault: start } : { end: start + plain.length }
}

/** Text that already is JSON: numbers with trailing zeros (`1.10`), strings with unusual escapes, fragments used often. */
export class Raw {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A value that `writeJson` can write. Members that are undefined, and empty arrays, are left out, as FHIR demands. */
export type Json = string | number | boolean | Raw | readonly (Json | undefined)[] | JsonObject
export interface JsonObject {
  readonly [name: string]: Json | undefined
}

/**
 * Writes JSON on one line. `JSON.stringify` would not do: it cannot write `1.10`.
 * U+2028 and U+2029 stay as they are, which JSON allows inside strings.
 */
export function writeJson(value: Json): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Raw) return value.text
  if (typeof value !== 'object') return String(value)
  if (isArray(value)) return `[${writeItems(value)}]`
  return `{${writeMembers(value)}}`
}

/** The members of an object without its braces, for callers that put others before or after. */
export function writeMembers(object: JsonObject): string {
  let text = ''
  for (const name in object) {
    const value = object[name]
    if (value === undefined || (isArray(value) && value.length === 0)) continue
    text += text === '' ? `"${name}":${writeJson(value)}` : `,"${name}":${writeJson(value)}`
  }
  return text
}

function writeItems(items: readonly (Json | undefined)[]): string {
  let text = ''
  for (const item of items) {
    if (item === undefined) continue
    text += text === '' ? writeJson(item) : `,${writeJson(item)}`
  }
  return text
}

const isArray = (value: Json): value is readonly (Json | undefined)[] => Array.isArray(value)

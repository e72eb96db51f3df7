const quote = 0x22
const backslash = 0x5c

/** What a JSON text may cost its parser. */
export interface JsonBounds {
  /** Arrays and objects inside one another. */
  readonly depthMax: number
  /** Arrays, objects, and members or items behind the first of each. */
  readonly valuesMax: number
}

/**
 * Which bound a text goes beyond, before it is parsed: one pass that keeps nothing, whether the text is JSON or not. A body of 16 MB
 * may hold five million empty objects, and parsing those takes seconds in which the server answers nobody.
 */
export function jsonExcess(text: string, { depthMax, valuesMax }: JsonBounds): 'depth' | 'values' | undefined {
  let depth = 0
  let values = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) quoted = !quoted
    else if (quoted) at += code === backslash ? 1 : 0
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > depthMax) return 'depth'
      if (++values > valuesMax) return 'values'
    } else if (code === 0x2c) {
      if (++values > valuesMax) return 'values'
    } else if (code === 0x7d || code === 0x5d) depth--
  }
  return undefined
}

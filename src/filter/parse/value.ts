import { type Fault, isFault } from '../fault.ts'
import { readDate } from '../match/date.ts'
import { readQuantity } from '../match/quantity.ts'
import { readReference } from '../match/reference.ts'
import { readString } from '../match/string.ts'
import { readToken } from '../match/token.ts'
import { readUri } from '../match/uri.ts'
import type { CompositeValue, Value } from '../query.ts'
import { cutUnescaped, unescaped } from '../query-text.ts'
import type { CompositeParameter, SearchParameter } from '../search-parameter.ts'

/** Reads one decoded but still escaped value of a parameter. */
export function readValue(raw: string, parameter: SearchParameter, modifier: string | undefined): Value | Fault {
  // White space around a value is no part of it, except where a text is meant literally.
  const text = parameter.type === 'string' && modifier !== undefined ? raw : raw.trim()
  if (text === '') return { fault: 'is empty', allowed: 'a value' }
  switch (parameter.type) {
    case 'token':
      return readToken(text, parameter, modifier)
    case 'date':
      // A plus sign before a zone, that was not percent-encoded in a URL, has become a blank; a date has no other.
      return readDate(unescaped(text).replace(/ (?=\d\d:\d\d$)/, '+'))
    case 'string':
      return readString(unescaped(text), modifier)
    case 'reference':
      return readReference(text, parameter, modifier)
    case 'quantity':
      return readQuantity(text)
    case 'uri':
      return readUri(unescaped(text), modifier)
    case 'composite':
      return readComposite(text, parameter)
  }
}

function readComposite(text: string, { components }: CompositeParameter): CompositeValue | Fault {
  const pieces = cutUnescaped(text, '$')
  const allowed = components.map(({ type }) => type).join('$')
  if (pieces.length !== components.length) return { fault: `does not have ${components.length} parts`, allowed }
  const parts: Value[] = []
  for (const [index, piece] of pieces.entries()) {
    const part = readValue(piece, components[index]!, undefined)
    if (isFault(part)) return { ...part, fault: `has a part ${index + 1} that ${part.fault}` }
    parts.push(part)
  }
  return { kind: 'composite', parts }
}

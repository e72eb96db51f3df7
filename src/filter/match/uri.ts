import type { Fault } from '../fault.ts'
import type { UriValue } from '../query.ts'
import type { Test } from './element.ts'

/** Reads the value of a uri parameter. `:above` and `:below` are for URLs only (R4). */
export function readUri(text: string, modifier: string | undefined): UriValue | Fault {
  if (modifier !== 'above' && modifier !== 'below') return { kind: 'uri', match: 'exact', uri: text }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { kind: 'uri', match: modifier, uri: text }
  return { fault: `is not a URL, which :${modifier} needs`, allowed: 'a URL such as http://example.org/fhir' }
}

/** Tests an element: exactly, or that one of the two is the beginning of the other. */
export function uriTest({ match, uri }: UriValue): Test {
  switch (match) {
    case 'exact':
      return (element) => element === uri
    case 'above':
      return (element) => typeof element === 'string' && element !== '' && uri.startsWith(element)
    case 'below':
      return (element) => typeof element === 'string' && element.startsWith(uri)
  }
}

/** One record that is meant by its business identifier: `Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|123`. */
export interface IdentifierQuery {
  readonly type: string
  /** '' where the identifier must have none: `identifier=|123`. */
  readonly system: string
  readonly value: string
}

/** Why a query is none that can be looked up. */
export interface UnusableQuery {
  readonly unusable: string
}

const conditionalPattern = /^([A-Z][A-Za-z]{1,63})\?(.*)$/s

/** Whether a reference or a `request.url` names a record by a query. */
export const isConditional = (text: string): boolean => conditionalPattern.test(text)

/** Reads a conditional reference or URL. Percent-encoded as URLs are; in `system|value`, `\|`, `\,` and `\\` stand for themselves. */
export function readIdentifierQuery(text: string): IdentifierQuery | UnusableQuery {
  const [, type = '', query = ''] = conditionalPattern.exec(text) ?? []
  return type === '' ? { unusable: 'It must be a type and a query.' } : readIdentifierSearch(type, query)
}

/** The same for the query alone, as `ifNoneExist` and `If-None-Exist` have it; a question mark before it does no harm. */
export function readIdentifierSearch(type: string, query: string): IdentifierQuery | UnusableQuery {
  if (!isText(query)) return { unusable: 'It must be UTF-8, percent-encoded where it is not ASCII.' }
  const parameters = [...new URLSearchParams(query.replace(/^\?/, '').replaceAll('+', '%2B'))]
  const [name, token] = parameters[0] ?? []
  if (parameters.length !== 1 || name !== 'identifier' || token === undefined) {
    return { unusable: 'It must be one identifier: identifier=system|value.' }
  }
  const parts = token.split(/(?<!\\)\|/)
  if (parts.length !== 2) return { unusable: 'The identifier must be system|value.' }
  if (/(?<!\\),/.test(token)) return { unusable: 'It must be one identifier, not a list.' }
  const [system = '', value = ''] = parts.map((part) => part.replace(/\\([\\|,$])/g, '$1'))
  if (/\0/.test(`${system}${value}`)) return { unusable: 'An identifier has no NUL character.' }
  return value === '' ? { unusable: 'The identifier has no value.' } : { type, system, value }
}

/**
 * Whether a query is text, with whatever its escapes stand for: what is not would be read as U+FFFD, by which the record of another value
 * could be found.
 */
function isText(query: string): boolean {
  try {
    // Throws for bytes that are not UTF-8, and for half of a surrogate pair.
    encodeURIComponent(query)
    for (const [bytes] of query.matchAll(/(?:%[0-9A-Fa-f]{2})+/g)) decodeURIComponent(bytes)
    return true
  } catch {
    return false
  }
}

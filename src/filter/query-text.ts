/** What separates queries: a comma before something like `Condition?`, percent-encoded or not (search-params §4). */
const queryStart = /\s*[A-Z][A-Za-z]*(?:\?|%3[Ff])/y

/** One unit of text: an escaped character, the backslash of which may be percent-encoded, or any other character. */
const unit = /(?:\\|%5[Cc])(?:%[0-9A-Fa-f]{2}|.)|./gs

/** Cuts a `_typeFilter` into its queries: at commas that a new query follows, never at escaped or percent-encoded ones. */
export function cutQueries(text: string): string[] {
  const queries: string[] = []
  let start = 0
  for (const { 0: found, index } of text.matchAll(unit)) {
    if (found !== ',' || !startsQuery(text, index + 1)) continue
    queries.push(text.slice(start, index))
    start = index + 1
  }
  queries.push(text.slice(start))
  return queries.map((query) => query.trim())
}

function startsQuery(text: string, at: number): boolean {
  queryStart.lastIndex = at
  return queryStart.test(text)
}

/** Decodes percent-encoding; undefined when it is broken. A `+` stays a `+`: the text is no form data. */
export function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** Cuts a decoded value at a separator that no backslash stands before; the pieces stay escaped. */
export function cutUnescaped(text: string, separator: ',' | '|' | '$'): string[] {
  const pieces: string[] = []
  let start = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === separator) {
      pieces.push(text.slice(start, at))
      start = at + 1
    }
  }
  pieces.push(text.slice(start))
  return pieces
}

/** Whether every backslash escapes a `,`, `|`, `$` or another backslash, as R4 demands. */
export const isWellEscaped = (text: string): boolean => !text.replace(/\\[,|$\\]/g, '').includes('\\')

/** The text of a well escaped piece. */
export const unescaped = (text: string): string => text.replace(/\\([,|$\\])/g, '$1')

import { skipBlanks, skipString } from '../json/json-text.ts'

/** Where a text names another resource: an element `reference`, an element of type uri or url, a link of a narrative. */
export type NamingPlace = 'reference' | 'uri' | 'link'

/** Elements whose values a server replaces when it gives an entry of a Bundle another identity (R4 http.html, transaction rules). */
const uriElements: ReadonlySet<string> = new Set(['url', 'valueUri', 'valueUrl', 'valueUuid', 'valueOid'])

/** What a link of a narrative leads to, within the text of a JSON string: quotation marks of attributes are escaped or single ones. */
const linkPattern = /(\b(?:href|src)\s*=\s*)(\\"|')([^"'<>\s]*?)(\2)/gi

/**
 * The text of a resource with other names in it: every byte that no new name replaces stays as it is. Linear in the text.
 * @param text one that JSON.parse has accepted
 * @param rename the new name, or undefined to leave the old one
 */
export function renameReferences(
  text: string,
  rename: (name: string, place: NamingPlace) => string | undefined,
): string {
  const pieces: string[] = []
  let copied = 0
  /** The key before a value, if nothing but blanks stands between them. */
  let key: string | undefined
  let keyEnd = 0
  for (let start = text.indexOf('"'); start >= 0; ) {
    const end = skipString(text, start)
    const raw = text.slice(start + 1, end - 1)
    const colon = skipBlanks(text, end)
    if (text[colon] === ':') {
      key = decoded(raw)
      keyEnd = skipBlanks(text, colon + 1)
    } else {
      const value = key !== undefined && keyEnd === start ? renamed(key, raw, rename) : undefined
      key = undefined
      if (value !== undefined) {
        pieces.push(text.slice(copied, start), value)
        copied = end
      }
    }
    start = text.indexOf('"', end)
  }
  return copied === 0 ? text : pieces.join('') + text.slice(copied)
}

/** Every name that the elements `reference` of a resource hold, at any depth, in order. */
export function referencesIn(text: string): string[] {
  const found: string[] = []
  renameReferences(text, (name, place) => {
    if (place === 'reference') found.push(name)
    return undefined
  })
  return found
}

function renamed(
  key: string,
  raw: string,
  rename: (name: string, place: NamingPlace) => string | undefined,
): string | undefined {
  if (key === 'div') return renamedLinks(raw, rename)
  const place = key === 'reference' ? 'reference' : uriElements.has(key) ? 'uri' : undefined
  const name = place && rename(decoded(raw), place)
  return name === undefined ? undefined : JSON.stringify(name)
}

function renamedLinks(
  raw: string,
  rename: (name: string, place: NamingPlace) => string | undefined,
): string | undefined {
  let changed = false
  const text = raw.replace(linkPattern, (whole, before: string, mark: string, link: string) => {
    const name = rename(decoded(link).replaceAll('&amp;', '&'), 'link')
    if (name === undefined) return whole
    changed = true
    return `${before}${mark}${JSON.stringify(name.replaceAll('&', '&amp;')).slice(1, -1)}${mark}`
  })
  return changed ? `"${text}"` : undefined
}

const decoded = (raw: string): string => (raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw)

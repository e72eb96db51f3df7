import { readResourceText } from '../resource-text.ts'
import { isConditional } from './identifier-query.ts'
import { referencesIn, renameReferences } from './reference-text.ts'

/**
 * Whether a stored text is what a text with conditional references became when these were resolved: all of them, some, or none. So a
 * record that is loaded again is known to be the same, whatever could be resolved before.
 */
export function isResolvedFrom(stored: string, source: string, id: string): boolean {
  const before = referencesIn(source)
  const after = referencesIn(stored)
  if (before.length !== after.length) return false
  const resolved = new Set(before.keys().filter((index) => isResolution(before[index]!, after[index]!)))
  const blank = (text: string): Buffer | undefined => {
    let index = 0
    const blanked = renameReferences(text, (_, place) =>
      place === 'reference' && resolved.has(index++) ? '' : undefined,
    )
    const read = readResourceText(blanked, id)
    return 'fault' in read ? undefined : read.text.bytes
  }
  const [left, right] = [blank(stored), blank(source)]
  return left !== undefined && right !== undefined && left.equals(right)
}

const isResolution = (before: string, after: string): boolean =>
  isConditional(before) && after.startsWith(`${before.slice(0, before.indexOf('?'))}/`)

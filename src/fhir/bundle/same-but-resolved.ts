import { readResourceText } from '../resource-text.ts'
import { type IdentifierQuery, isConditional, readIdentifierQuery } from './identifier-query.ts'
import { referencesIn, renameReferences } from './reference-text.ts'

/** What a conditional reference has become in a stored text. Only the store can tell whether it means that. */
export interface Resolution {
  readonly query: IdentifierQuery
  /** `Type/id` */
  readonly target: string
}

/**
 * What must be true for a stored text to be what a text with conditional references became when these were resolved: all of them,
 * some, or none. So a record that is loaded again is known to be the same, whatever could be resolved before.
 * @returns undefined when it is another text, whatever the conditions mean
 */
export function resolutionsIn(stored: string, source: string, id: string): Resolution[] | undefined {
  const before = referencesIn(source)
  const after = referencesIn(stored)
  if (before.length !== after.length) return undefined
  const resolved = new Map(before.flatMap((name, index) => resolutionOf(name, after[index]!, index)))
  const blank = (text: string): Buffer | undefined => {
    let index = 0
    const blanked = renameReferences(text, (_, place) =>
      place === 'reference' && resolved.has(index++) ? '' : undefined,
    )
    const read = readResourceText(blanked, id)
    return 'fault' in read ? undefined : read.text.bytes
  }
  const [left, right] = [blank(stored), blank(source)]
  return left !== undefined && right !== undefined && left.equals(right) ? [...resolved.values()] : undefined
}

function resolutionOf(before: string, after: string, index: number): [number, Resolution][] {
  if (before === after || !isConditional(before)) return []
  const query = readIdentifierQuery(before)
  if ('unusable' in query || !after.startsWith(`${query.type}/`)) return []
  return [[index, { query, target: after }]]
}

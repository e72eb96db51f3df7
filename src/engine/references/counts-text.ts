import type { OwnerlessCount } from '../../records/ownerless.ts'

/** How many records of each type were found, in the order of the types. */
export const countsText = (types: readonly string[], counts: ReadonlyMap<string, OwnerlessCount>): string =>
  types
    .flatMap((type) => {
      const count = counts.get(type)
      return count === undefined || (count.records === 0 && !count.more) ? [] : [`${type}: ${numberText(count)}`]
    })
    .join(', ')

function numberText({ records, more }: OwnerlessCount): string {
  if (!more) return String(records)
  return records === 0 ? 'not known (too many to look at)' : `at least ${records}`
}

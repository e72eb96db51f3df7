import type { OwnerlessCount } from '../../records/ownerless.ts'

/** How many records of each type were found, in the order of the types. */
export const countsText = (types: readonly string[], counts: ReadonlyMap<string, OwnerlessCount>): string =>
  types
    .flatMap((type) => {
      const count = counts.get(type)
      return count === undefined || count.records === 0 ? [] : [`${type}: ${numberText(count)}`]
    })
    .join(', ')

const numberText = ({ records, more }: OwnerlessCount): string => (more ? `at least ${records}` : String(records))

import type { Keyed } from './pack-order.ts'

/**
 * What lines of one key weigh at least to be a section of their own. A section costs some 400 bytes of its pack, for it begins with
 * nothing to refer to; lines of this size take a thousand and more.
 */
export const sectionBytesMin = 8 * 1024

/** Lines of a pack that are deflated by themselves, so that they can be copied without the rest. */
export interface Section<Item> {
  readonly items: readonly Item[]
  /** What they all have; undefined when they are of several keys, for each of them is little. */
  readonly key: string | undefined
}

/**
 * Divides lines into sections: each key that weighs enough is one; what stands between them is, too.
 * @param items in order of their keys
 */
export function sectionsOf<Item extends Keyed & { readonly length: number }>(items: readonly Item[]): Section<Item>[] {
  const sections: Section<Item>[] = []
  let small: Item[] = []
  const endSmall = () => {
    if (small.length > 0) sections.push({ items: small, key: undefined })
    small = []
  }
  for (const group of groupsOf(items)) {
    if (group.reduce((sum, { length }) => sum + length, 0) < sectionBytesMin) small.push(...group)
    else {
      endSmall()
      sections.push({ items: group, key: group[0]!.key })
    }
  }
  endSmall()
  return sections
}

/** Neighbours of the same key. */
function groupsOf<Item extends Keyed>(items: readonly Item[]): Item[][] {
  const groups: Item[][] = []
  let key: string | undefined
  for (const item of items) {
    if (item.key === key) groups.at(-1)!.push(item)
    else groups.push([item])
    key = item.key
  }
  return groups
}

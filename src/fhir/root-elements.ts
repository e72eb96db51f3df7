import { allTypes, type ResourceType } from './resource-types.ts'
import { rootElements } from './root-elements.generated.ts'

/** The root elements of a type but `id` and `meta`. A choice is written as R4 does: `value[x]`. */
export interface RootElements {
  /** Mandatory ones, and modifiers, without which the rest may mean something else. */
  readonly always: readonly string[]
  readonly optional: readonly string[]
}

const nameOf = (element: string): string => element.replace(/\[x\]$/, '')

const namesByType: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  allTypes.map((type) => {
    const { always, optional } = rootElements[type]
    return [type, new Set(['id', 'meta', ...[...always, ...optional].map(nameOf)])]
  }),
)

/** Whether a type has a root element of this name; a choice is named without `[x]`. */
export const hasRootElement = (type: ResourceType, name: string): boolean => namesByType.get(type)!.has(name)

/**
 * A test of the members of a resource's JSON: whether a member belongs to an element that is kept when only some are asked for.
 * @param wanted names of root elements, those of other types too
 */
export function keptMembers(type: ResourceType, wanted: readonly string[]): (member: string) => boolean {
  const { always, optional } = rootElements[type]
  const kept = [...always, ...optional.filter((element) => wanted.includes(nameOf(element)))]
  const exact = new Set(['resourceType', 'id', 'meta', ...kept])
  const choices = kept.filter((element) => element.endsWith('[x]')).map(nameOf)
  const others = new Set([...always, ...optional])
  return (member) => {
    const name = member.startsWith('_') ? member.slice(1) : member
    if (exact.has(name)) return true
    if (others.has(name)) return false
    return choices.some((choice) => name.startsWith(choice) && /^[A-Z]/.test(name.slice(choice.length)))
  }
}

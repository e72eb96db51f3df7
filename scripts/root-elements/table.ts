import type { RootElements } from '../../src/fhir/root-elements.ts'
import { typesTable } from '../resource-types/table.ts'
import { resourceStructures } from '../search-parameters/definitions.ts'

/** What the generated file holds: the names of all R4 resource types, and the root elements of those that can be stored. */
export interface ElementsTable {
  readonly types: readonly string[]
  readonly elements: Readonly<Record<string, RootElements>>
}

/** Reads the official R4 definitions. `id` and `meta` are in no list: they are always there. */
export function elementsTable(): ElementsTable {
  const byName = new Map(resourceStructures().map((structure) => [structure.name, structure]))
  return {
    types: [...byName.keys()].sort(),
    elements: Object.fromEntries(Object.keys(typesTable()).map((type) => [type, rootElementsOf(byName.get(type)!)])),
  }
}

function rootElementsOf({ name, snapshot }: ReturnType<typeof resourceStructures>[number]): RootElements {
  const roots = snapshot!.element
    .map((element) => ({ ...element, name: element.path.slice(name.length + 1) }))
    .filter((element) => element.name !== '' && !element.name.includes('.') && !['id', 'meta'].includes(element.name))
  const always = roots.filter(({ min, isModifier }) => min > 0 || isModifier)
  return {
    always: always.map((element) => element.name),
    optional: roots.filter((element) => !always.includes(element)).map((element) => element.name),
  }
}

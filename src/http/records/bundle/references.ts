import { type BundleIdentities, isAbsolute, isUrn, withoutVersion } from '../../../fhir/bundle/bundle-identities.ts'
import type { IdentifierQuery } from '../../../fhir/bundle/identifier-query.ts'
import { type NamingPlace, renameReferences } from '../../../fhir/bundle/reference-text.ts'
import { type Problem, problem } from '../../../protocol/problem.ts'
import { quoted } from '../request-condition.ts'
import type { Write } from './step.ts'

/** Who is who for the references of a Bundle. */
export interface Names {
  readonly identities: BundleIdentities
  /** `Type/id` of the records that have an identifier when the Bundle is done. */
  readonly identified: (query: IdentifierQuery) => readonly string[]
  /** The canonical URL of the resource that becomes a record, where it has one. */
  readonly canonicalOf: (key: string) => string | undefined
}

/** A resource whose references name records of the store. */
export interface Resolved {
  readonly text: string
  /** Keys of the entries that it refers to. */
  readonly named: ReadonlySet<string>
  readonly problems: readonly Problem[]
}

/** Resolves the references of one entry, its links and URLs too, or says of each that cannot be resolved why. */
export function resolved({ source, fullUrl, conditional }: Write, names: Names): Resolved {
  const named = new Set<string>()
  const problems = new Map<string, Problem>()
  const text = renameReferences(source, (name, place) => {
    const query = place === 'reference' ? conditional.get(name) : undefined
    const found = query ? byIdentifier(name, query, names) : byName(name, place, fullUrl, names)
    if (found === undefined) return undefined
    if (typeof found !== 'string') {
      problems.set(name, found)
      return undefined
    }
    named.add(found)
    // The record itself, under its own name: with its version, if it has one.
    return withoutVersion(name) === found ? undefined : found
  })
  return { text, named, problems: [...problems.values()] }
}

function byIdentifier(name: string, query: IdentifierQuery, names: Names): string | Problem {
  const [key, another] = names.identified(query)
  const diagnostics = quoted(name)
  if (key === undefined) {
    return problem(412, 'not-found', 'No record has the identifier of a conditional reference.', { diagnostics })
  }
  if (another === undefined) return key
  return problem(412, 'multiple-matches', 'Several records have the identifier of a conditional reference.', {
    diagnostics,
  })
}

function byName(
  name: string,
  place: NamingPlace,
  from: string | undefined,
  { identities, canonicalOf }: Names,
): string | Problem | undefined {
  const diagnostics = quoted(name)
  if (identities.isAmbiguous(name, from)) {
    return problem(400, 'multiple-matches', 'A reference may mean several entries of the Bundle.', { diagnostics })
  }
  const key = identities.resolve(name, from)
  if (key !== undefined) return place === 'uri' && isAbsolute(name) && canonicalOf(key) === name ? undefined : key
  // Only of an element `reference` is it certain that it refers: other URLs may be names of anything.
  if (place !== 'reference' || !isUrn(name)) return undefined
  return problem(400, 'not-found', 'A reference names no entry of the Bundle.', { diagnostics })
}

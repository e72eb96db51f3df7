import { Failure } from '../../failure.ts'
import { resourceTypeNames } from '../../fhir/root-elements.generated.ts'
import { parseScope, queryOf, scopeList } from '../scope.ts'

/** Characters of one scope list: registered, asked for or granted. A token with it fits into an HTTP header. */
export const scopeCharsMax = 4096

const advice =
  'Separate scopes with blanks, each like system/Patient.read (v1), system/Patient.rs (v2) or system/*.read for every type.'

const typeAdvice = 'Types are written as in system/MedicationRequest.rs, capitals too.'

const granularAdvice =
  'A granular scope is like system/Observation.rs?category=laboratory; docs/reference/search-parameters.md lists the parameters.'

/**
 * The scopes of a registration, each once.
 * @throws Failure that names the scope which cannot be registered.
 */
export function registeredScopes(list: string): readonly string[] {
  const scopes = [...new Set(scopeList(list))]
  if (scopes.length === 0) throw new Failure('The client has no scope.', advice)
  if (list.length > scopeCharsMax) {
    throw new Failure('The list of scopes is too long.', `Use at most ${scopeCharsMax} characters, or a wildcard.`)
  }
  for (const text of scopes) {
    const scope = parseScope(text)
    if (!scope) throw new Failure(`"${text}" is not a scope.`, advice)
    if (scope.context !== 'system') {
      throw new Failure(`"${text}" cannot be registered: only system/ scopes have a meaning here.`, advice)
    }
    if (scope.type !== '*' && !resourceTypeNames.has(scope.type)) {
      throw new Failure(`"${text}" cannot be registered: R4 has no resource type ${scope.type}.`, typeAdvice)
    }
    const query = scope.query === undefined ? undefined : queryOf(scope)
    if (query !== undefined && 'reason' in query) {
      throw new Failure(`"${text}" cannot be registered: ${query.reason}.`, granularAdvice)
    }
  }
  return scopes
}

import { documentedRule } from './parse/documented.ts'
import type { TypeFilterSwitches } from './parse/switches.ts'
import { type SearchParameter, searchParameter, searchParameterCodes } from './search-parameter.ts'

/** The parameters that queries on a resource type may use, in alphabetical order, those common to all types last. */
export function supportedParameters(
  type: string,
  { deniedTypes, deniedParams, documentedOnly }: TypeFilterSwitches,
): { readonly code: string; readonly type: SearchParameter['type'] }[] {
  if (deniedTypes.includes(type)) return []
  return searchParameterCodes(type)
    .filter((code) => !deniedParams.includes(code))
    .filter((code) => !documentedOnly || documentedRule(type, code) !== undefined)
    .map((code) => ({ code, type: searchParameter(type, code)!.type }))
}

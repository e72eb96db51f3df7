import { documentedTypes } from '../../fhir/resource-types.ts'
import { parseTypeFilter } from './parse.ts'
import type { TypeFilterSwitches } from './switches.ts'

export const at = 'Parameters.parameter[1].valueString'

/** A row: the rule, the text or texts, `_type` (undefined: absent), and what comes out. */
export type Row = readonly [
  rule: string,
  text: string | readonly string[],
  types: readonly string[] | undefined,
  ...outcome: string[],
]

export function parse(texts: readonly string[], types: readonly string[] | undefined, switches: TypeFilterSwitches) {
  return parseTypeFilter(
    texts.map((text) => ({ text, at })),
    { types, exported: documentedTypes, switches },
  )
}

/** `status code` of each problem, or the queries as `Type parameter:values`. */
export function outcome(
  texts: readonly string[],
  types: readonly string[] | undefined,
  switches: TypeFilterSwitches,
): string[] {
  const { queries, problems } = parse(texts, types, switches)
  if (problems.length > 0) return problems.map(({ status, code }) => `${status} ${code}`)
  return [...queries].flatMap(([type, list]) =>
    list.map(({ criteria }) => {
      const parts = criteria.map((one) => `${one.parameter}:${'values' in one ? one.values.length : 'missing'}`)
      return `${type} ${parts.join(' ')}`
    }),
  )
}

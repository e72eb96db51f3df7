import { quoted } from '../../protocol/client-text.ts'
import { type Fault, isFault } from '../fault.ts'
import { comparedValuesMax } from '../limits.ts'
import type { Criterion, Value } from '../query.ts'
import { cutUnescaped, isWellEscaped } from '../query-text.ts'
import { type SearchParameter, searchParameter } from '../search-parameter.ts'
import { supportedParameters } from '../supported.ts'
import { checkDocumentedValue, type DocumentedRule, documentedRule } from './documented.ts'
import { modifierReason, modifiersOf, supportsModifier } from './modifiers.ts'
import type { TypeFilterSwitches } from './switches.ts'
import { readValue } from './value.ts'

/** Why a parameter cannot be used as it is: `not-supported` for names, otherwise something about the value. */
export interface CriterionFault extends Fault {
  readonly code: NonNullable<Fault['code']>
}

/** Reads one `name=value` of a query, both percent-decoded. */
export function readCriterion(
  type: string,
  name: string,
  value: string,
  switches: TypeFilterSwitches,
): Criterion | CriterionFault {
  const code = name.split(/[:.]/, 1)[0]!
  const parameter = findParameter(type, code, name, switches)
  if (isFault(parameter)) return { ...parameter, code: 'not-supported' }
  const modifier = name === code ? undefined : name.slice(code.length + 1)
  const refused = modifier === undefined ? undefined : refuseModifier(parameter, modifier, switches)
  if (refused !== undefined) return { ...refused, code: 'not-supported' }
  const rule = switches.documentedOnly ? documentedRule(type, code) : undefined
  const found = modifier === 'missing' ? readMissing(value) : readValues(parameter, modifier, value, rule)
  if (isFault(found)) return { ...found, code: found.code ?? 'value' }
  return { parameter: code, ...found, ...(modifier === 'not' ? { negated: true } : {}) }
}

/** The parameter, when the profile lets a query use it. The excluded names come first: neither modifier nor chain launders them. */
function findParameter(
  type: string,
  code: string,
  name: string,
  switches: TypeFilterSwitches,
): SearchParameter | Fault {
  const allowed = supportedList(type, switches)
  if (switches.deniedParams.includes(code)) return { fault: `${code} may not be used in a filter`, allowed }
  if (code === '_has') return { fault: '_has (reverse chaining) is not supported', allowed }
  const parameter = searchParameter(type, code)
  if (parameter === undefined || (switches.documentedOnly && documentedRule(type, code) === undefined)) {
    return { fault: `the parameter is not supported for ${type}`, allowed }
  }
  return name.includes('.') ? { fault: 'chained parameters are not supported', allowed } : parameter
}

function supportedList(type: string, switches: TypeFilterSwitches): string {
  const codes = supportedParameters(type, switches).map(({ code }) => code)
  return codes.length === 0 ? `no parameter of ${type}` : codes.join(', ')
}

function refuseModifier(parameter: SearchParameter, modifier: string, switches: TypeFilterSwitches): Fault | undefined {
  const supported = switches.documentedOnly ? [] : modifiersOf(parameter)
  if (!switches.documentedOnly && supportsModifier(parameter, modifier)) return undefined
  const reason = modifierReason(parameter, modifier)
  return {
    fault: `the modifier ${quoted(`:${modifier}`)} is not supported${reason === undefined ? '' : `, ${reason}`}`,
    allowed: supported.length === 0 ? 'no modifier' : supported.map((name) => `:${name}`).join(', '),
  }
}

function readMissing(value: string): { missing: boolean } | Fault {
  if (value === 'true' || value === 'false') return { missing: value === 'true' }
  return { fault: `${quoted(value)} is neither true nor false`, allowed: 'true or false' }
}

function readValues(
  parameter: SearchParameter,
  modifier: string | undefined,
  text: string,
  rule: DocumentedRule | undefined,
): { values: Value[] } | Fault {
  if (!isWellEscaped(text)) {
    return { fault: 'a backslash escapes nothing', allowed: 'a backslash before a comma, |, $ or another backslash' }
  }
  const valueModifier = modifier === 'not' ? undefined : modifier
  const pieces = cutUnescaped(text, ',')
  const isLookedUp = parameter.type === 'token' && valueModifier === undefined
  if (!isLookedUp && pieces.length > comparedValuesMax) {
    return { fault: `there are ${pieces.length} values`, allowed: `at most ${comparedValuesMax}` }
  }
  const values: Value[] = []
  for (const raw of pieces) {
    const value = readValue(raw, parameter, valueModifier)
    const fault = isFault(value) ? value : rule && checkDocumentedValue(value, rule)
    if (fault !== undefined) return { ...fault, fault: `${quoted(raw)} ${fault.fault}` }
    values.push(value as Value)
  }
  return { values }
}

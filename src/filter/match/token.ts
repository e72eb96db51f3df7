import { isObject } from '../../fhir/json/json-object.ts'
import { type Fault, isFault } from '../fault.ts'
import type { TextValue, TokenValue, TypedIdentifierValue } from '../query.ts'
import { cutUnescaped, unescaped } from '../query-text.ts'
import type { Datatype, ElementPath, SimpleParameter } from '../search-parameter.ts'
import { someItem, type Test } from './element.ts'
import { readString } from './string.ts'

/** Datatypes of tokens that know no system: R4 forbids the `|` for them. */
const withoutSystem: ReadonlySet<Datatype> = new Set(['ContactPoint', 'boolean', 'deceased', 'id', 'uri'])
const booleans: ReadonlySet<Datatype> = new Set(['boolean', 'deceased'])

const tokenForms = 'code, system|code, |code or system|'

/** Reads a raw, still escaped value of a token parameter. */
export function readToken(
  raw: string,
  { paths }: SimpleParameter,
  modifier: string | undefined,
): TokenValue | TextValue | TypedIdentifierValue | Fault {
  if (modifier === 'text') return readText(raw)
  if (modifier === 'of-type') return readTypedIdentifier(raw)
  const token = readSystemAndCode(raw)
  if (isFault(token)) return token
  if (token.system !== undefined && paths.every(({ datatype }) => withoutSystem.has(datatype))) {
    return { fault: 'names a system where there is none', allowed: 'a value without |' }
  }
  if (paths.every(({ datatype }) => booleans.has(datatype)) && token.code !== 'true' && token.code !== 'false') {
    return { fault: 'is not a boolean', allowed: 'true or false' }
  }
  return token
}

/** Reads the forms of a token that any coded element or identifier has. */
export function readSystemAndCode(raw: string): TokenValue | Fault {
  const parts = cutUnescaped(raw, '|').map(unescaped)
  const [first = '', second] = parts
  if (parts.length > 2 || (first === '' && !second)) return { fault: 'is not a token', allowed: tokenForms }
  if (second === undefined) return { kind: 'token', code: first }
  return second === '' ? { kind: 'token', system: first } : { kind: 'token', system: first, code: second }
}

function readText(raw: string): TextValue | Fault {
  const value = readString(unescaped(raw), undefined)
  return isFault(value) ? value : { kind: 'text', text: value.text }
}

function readTypedIdentifier(raw: string): TypedIdentifierValue | Fault {
  const parts = cutUnescaped(raw, '|').map(unescaped)
  const [system, code, value] = parts
  if (parts.length === 3 && system && code && value) return { kind: 'typed-identifier', system, code, value }
  return { fault: 'lacks a part', allowed: 'system|code|value, the first two of the type of the identifier' }
}

/** Tests an element against tokens, of which it must have one; the case of codes and systems counts. */
export function tokenTest(
  tokens: readonly TokenValue[],
  { datatype, systems = [] }: Pick<ElementPath, 'datatype' | 'systems'>,
): Test {
  const pairs = pairTest(tokens, datatype === 'Identifier' ? 'value' : 'code')
  const codes = new Set(tokens.map(({ code }) => code))
  switch (datatype) {
    case 'CodeableConcept':
      return (element) => isObject(element) && someItem(element.coding, pairs)
    case 'Coding':
    case 'Identifier':
      return pairs
    case 'code':
    case 'uri': {
      // A code element has no system member; the one of its binding is implied (R4 search, "token"). A uri has none at all.
      const known = tokens.filter(({ system }) => !system || systems.includes(system))
      const all = known.some(({ code }) => code === undefined)
      const knownCodes = new Set(known.map(({ code }) => code))
      return (element) => typeof element === 'string' && (all || knownCodes.has(element))
    }
    case 'ContactPoint':
      return (element) => isObject(element) && typeof element.value === 'string' && codes.has(element.value)
    case 'boolean':
      return (element) => typeof element === 'boolean' && codes.has(String(element))
    case 'deceased':
      return (element) => codes.has(String(isDeceased(element)))
    default:
      return (element) => typeof element === 'string' && codes.has(element)
  }
}

/** Looks up the code of an element first, so that a list of hundreds costs no more than one. */
function pairTest(tokens: readonly TokenValue[], member: 'code' | 'value'): Test {
  const byCode = Map.groupBy(tokens, ({ code }) => code)
  const wholeSystems = byCode.get(undefined) ?? []
  return (element) => {
    if (!isObject(element)) return false
    const code = element[member]
    const sameSystem = ({ system }: TokenValue) =>
      system === undefined || (system === '' ? typeof element.system !== 'string' : element.system === system)
    return (typeof code === 'string' && byCode.get(code)?.some(sameSystem)) || wholeSystems.some(sameSystem)
  }
}

/** The members that `isDeceased` looks at. */
export const deceasedMembers = ['deceasedDateTime', 'deceasedBoolean'] as const

/** R4: `Patient.deceased.exists() and Patient.deceased != false`. */
const isDeceased = (patient: unknown): boolean =>
  isObject(patient) && (typeof patient.deceasedDateTime === 'string' || patient.deceasedBoolean === true)

/** Tests an Identifier by the code of its type and its value. */
export function typedIdentifierTest({ system, code, value }: TypedIdentifierValue): Test {
  const coding = pairTest([{ kind: 'token', system, code }], 'code')
  return (element) =>
    isObject(element) && element.value === value && isObject(element.type) && someItem(element.type.coding, coding)
}

import { jsonExcess } from '../../fhir/json/json-excess.ts'
import { jsonFault } from '../../fhir/json/json-fault.ts'
import { isObject, type JsonObject } from '../../fhir/json/json-object.ts'
import { repeatedKey } from '../../fhir/json/json-text.ts'
import { quoted } from '../client-text.ts'
import { entriesMax, requestJson } from '../limits.ts'
import { type Problem, problem } from '../problem.ts'
import { valueNameOf } from './export-parameter.ts'
import type { Findings } from './findings.ts'

/** One entry of the Parameters resource that has a name and exactly one value. */
export interface ParameterEntry {
  readonly name: string
  /** The name of the value's member, such as `valueString`. */
  readonly valueName: string
  readonly value: unknown
  /** FHIRPath location of the entry: `Parameters.parameter[3]`. */
  readonly at: string
}

/**
 * Reads a body as a Parameters resource: its entries, and everything wrong with its shape (S-19, S-20, S-50; T-4…T-12, T-128…T-131).
 * @param body undefined when its bytes are not UTF-8
 * @param expected whether there must be an entry, and the names that are supported
 */
export function readParameters(
  body: string | undefined,
  { required, names }: { readonly required: boolean; readonly names: readonly string[] },
  findings: Findings,
): ParameterEntry[] {
  const parsed = readJson(body)
  if ('status' in parsed) {
    findings.add(parsed)
    return []
  }
  const { resourceType, parameter } = parsed.object
  findings.addAll(checkType(resourceType))
  if (parameter === undefined && !required) return []
  if (!Array.isArray(parameter) || parameter.length === 0) {
    const code = parameter === undefined || Array.isArray(parameter) ? 'required' : 'structure'
    findings.add(
      problem(400, code, 'parameter must be an array with at least one entry.', { expression: 'Parameters.parameter' }),
    )
    return []
  }
  if (parameter.length > entriesMax) {
    findings.add(
      problem(400, 'too-long', `parameter may have at most ${entriesMax} entries.`, {
        diagnostics: `Found ${parameter.length}.`,
        expression: 'Parameters.parameter',
      }),
    )
    return []
  }
  return parameter.flatMap((item, index) => {
    const entry = readEntry(item, names, `Parameters.parameter[${index}]`)
    if (!('status' in entry)) return [entry]
    findings.add(entry)
    return []
  })
}

/** The object that a body is. What would cost much is refused before it is parsed. */
function readJson(body: string | undefined): { readonly object: JsonObject } | Problem {
  if (body === undefined) return problem(400, 'structure', 'The body is not UTF-8.')
  if (body.trim() === '') {
    return problem(400, 'structure', 'The body is empty.', { diagnostics: 'Send a Parameters resource.' })
  }
  const excess = jsonExcess(body, requestJson)
  if (excess === 'depth') {
    return problem(400, 'structure', `The body nests deeper than ${requestJson.depthMax} levels.`)
  }
  if (excess === 'values') {
    return problem(400, 'too-long', `The body has more than ${requestJson.valuesMax} values.`)
  }
  const text = body.charCodeAt(0) === 0xfeff ? body.slice(1) : body
  let object: unknown
  try {
    object = JSON.parse(text)
  } catch {
    return problem(400, 'structure', 'The body is not JSON.', { diagnostics: `It ${jsonFault(text)}.` })
  }
  if (!isObject(object)) {
    return problem(400, 'structure', 'The body must be a Parameters resource, a JSON object.')
  }
  const twice = repeatedKey(body)
  if (twice === undefined) return { object }
  return problem(400, 'structure', `The member ${quoted(twice)} stands twice in one object.`)
}

function checkType(resourceType: unknown): Problem[] {
  if (resourceType === 'Parameters') return []
  const code = resourceType === undefined ? 'required' : 'structure'
  return [
    problem(400, code, 'resourceType must be Parameters.', {
      diagnostics: typeof resourceType === 'string' ? `Found ${quoted(resourceType)}.` : 'Found no text.',
      expression: 'Parameters.resourceType',
    }),
  ]
}

/** Names of value[x]; what does not look like one is no value, and never part of a location. */
const valuePattern = /^value[A-Z][A-Za-z0-9]{1,39}$/

function readEntry(item: unknown, names: readonly string[], at: string): ParameterEntry | Problem {
  if (!isObject(item)) return problem(400, 'structure', 'An entry of parameter must be an object.', { expression: at })
  if (typeof item.name !== 'string' || item.name.trim() === '') {
    return problem(400, 'required', 'An entry of parameter needs a name.', {
      diagnostics: `Supported: ${names.join(', ')}.`,
      expression: `${at}.name`,
    })
  }
  if (item.modifierExtension !== undefined) {
    return problem(400, 'extension', 'Modifier extensions are not supported.', {
      diagnostics: `Of the parameter ${quoted(item.name)}.`,
      expression: `${at}.modifierExtension`,
    })
  }
  const valueNames = Object.keys(item).filter((key) => valuePattern.test(key))
  if (valueNames.length > 1 || (valueNames.length === 1 && (item.part !== undefined || item.resource !== undefined))) {
    return problem(400, 'invariant', `The parameter ${quoted(item.name)} must have exactly one value.`, {
      diagnostics: `Found ${[...valueNames, 'part', 'resource']
        .filter((name) => item[name] !== undefined)
        .slice(0, 10)
        .map(quoted)
        .join(', ')}.`,
      expression: at,
    })
  }
  const [valueName] = valueNames
  if (valueName === undefined) {
    return problem(400, 'structure', `The parameter ${quoted(item.name)} has no value.`, {
      diagnostics: 'Give it one member value[x], such as valueString.',
      expression: at,
    })
  }
  return { name: item.name, valueName, value: item[valueName], at }
}

/** Values in which a blank stands for a plus sign: one that was not percent-encoded has become a blank. */
const plusNames: ReadonlySet<string> = new Set(['_since', '_until', '_outputFormat'])

/** Reads the parameters of a GET kick-off as the Parameters resource that they stand for; locations count in its order. */
export function readQuery(query: Readonly<Record<string, string | readonly string[] | undefined>>): ParameterEntry[] {
  const given = Object.entries(query).flatMap(([name, values]) =>
    [values ?? ''].flat().map((value) => ({ name, value })),
  )
  return given.map(({ name, value }, index) => {
    const valueName = valueNameOf(name) ?? 'valueString'
    return { name, valueName, value: queryValue(name, valueName, value), at: `Parameters.parameter[${index}]` }
  })
}

function queryValue(name: string, valueName: string, text: string): string | boolean {
  if (valueName === 'valueBoolean' && (text === 'true' || text === 'false')) return text === 'true'
  return plusNames.has(name) ? text.replaceAll(' ', '+') : text
}

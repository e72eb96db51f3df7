import { repeatedKey } from '../fhir/json-text.ts'
import { exportParameters } from './export-parameter.ts'
import { type Problem, problem } from './problem.ts'

/** One entry of the Parameters resource that has a name and exactly one value. */
export interface ParameterEntry {
  readonly name: string
  /** The name of the value's member, such as `valueString`. */
  readonly valueName: string
  readonly value: unknown
  /** FHIRPath location of the entry: `Parameters.parameter[3]`. */
  readonly at: string
}

type JsonObject = { readonly [name: string]: unknown }

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Reads a body as a Parameters resource: its entries, and everything wrong with its shape (S-19, S-20, S-50; T-4…T-11, T-128…T-131). */
export function readParameters(body: string): { entries: ParameterEntry[]; problems: Problem[] } {
  let parsed: unknown
  try {
    parsed = JSON.parse(body.charCodeAt(0) === 0xfeff ? body.slice(1) : body)
  } catch (error) {
    const text = body.trim() === '' ? 'The body is empty.' : 'The body is not JSON.'
    return { entries: [], problems: [problem(400, 'structure', text, { diagnostics: jsonFault(error) })] }
  }
  if (!isObject(parsed)) {
    return {
      entries: [],
      problems: [problem(400, 'structure', 'The body must be a Parameters resource, a JSON object.')],
    }
  }
  const twice = repeatedKey(body)
  if (twice !== undefined) {
    return {
      entries: [],
      problems: [problem(400, 'structure', `The member ${quoted(twice)} stands twice in one object.`)],
    }
  }
  const problems = checkType(parsed.resourceType)
  if (!Array.isArray(parsed.parameter) || parsed.parameter.length === 0) {
    const code =
      parsed.parameter === undefined ? 'required' : Array.isArray(parsed.parameter) ? 'required' : 'structure'
    problems.push(
      problem(400, code, 'parameter must be an array with at least one entry.', { expression: 'Parameters.parameter' }),
    )
    return { entries: [], problems }
  }
  const entries: ParameterEntry[] = []
  for (const [index, item] of parsed.parameter.entries()) {
    const entry = readEntry(item, `Parameters.parameter[${index}]`)
    if ('status' in entry) problems.push(entry)
    else entries.push(entry)
  }
  return { entries, problems }
}

/** The parser's message without the excerpt of the body that it quotes. */
const jsonFault = (error: unknown): string => (error as Error).message.replace(/,? ?"?\.{3}.*$|, ".*$/s, '')

function checkType(resourceType: unknown): Problem[] {
  if (resourceType === 'Parameters') return []
  const code = resourceType === undefined ? 'required' : 'structure'
  return [problem(400, code, 'resourceType must be Parameters.', { expression: 'Parameters.resourceType' })]
}

function readEntry(item: unknown, at: string): ParameterEntry | Problem {
  if (!isObject(item)) return problem(400, 'structure', 'An entry of parameter must be an object.', { expression: at })
  if (typeof item.name !== 'string' || item.name.trim() === '') {
    return problem(400, 'required', 'An entry of parameter needs a name.', { expression: `${at}.name` })
  }
  if (item.modifierExtension !== undefined) {
    return problem(400, 'extension', 'Modifier extensions are not supported.', {
      expression: `${at}.modifierExtension`,
    })
  }
  const valueNames = Object.keys(item).filter((key) => /^value[A-Z]/.test(key))
  if (valueNames.length > 1 || (valueNames.length === 1 && (item.part !== undefined || item.resource !== undefined))) {
    return problem(400, 'invariant', `The parameter ${quoted(item.name)} must have exactly one value.`, {
      expression: at,
    })
  }
  const [valueName] = valueNames
  if (valueName === undefined) {
    return problem(400, 'structure', `The parameter ${quoted(item.name)} has no value.`, { expression: at })
  }
  return { name: item.name, valueName, value: item[valueName], at }
}

const quotedCharsMax = 100

/** A client's text for a message: bounded, and without control characters. */
export const quoted = (text: string): string =>
  `"${text
    .slice(0, quotedCharsMax)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd')}${text.length > quotedCharsMax ? '…' : ''}"`

/**
 * Reads the parameters of a GET kick-off as the Parameters resource that they stand for; locations count in its order. A plus sign
 * that was not percent-encoded has become a blank; no value has blanks of its own but lists, where they do not matter.
 */
export function readQuery(query: Readonly<Record<string, string | readonly string[] | undefined>>): ParameterEntry[] {
  const given = Object.entries(query).flatMap(([name, values]) =>
    [values ?? ''].flat().map((value) => ({ name, value })),
  )
  return given.map(({ name, value }, index) => ({
    name,
    valueName: exportParameters.find((parameter) => parameter.name === name)?.valueName ?? 'valueString',
    value: name === '_since' || name === '_outputFormat' ? value.replaceAll(' ', '+') : value,
    at: `Parameters.parameter[${index}]`,
  }))
}

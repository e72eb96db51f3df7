import type { Criterion, Query, Value } from './query.ts'
import { type Datatype, type ElementPath, type SearchParameter, searchParameter } from './search-parameter.ts'
import { ucumSystem } from './ucum/conversion.ts'

/** A criterion with more alternatives than these is not searched for in the bytes: parsing the line is as fast. */
const alternativesMax = 4

/**
 * A quick look at the bytes of a record: false only when no query can accept it, so that it need not be parsed.
 * Every match of a criterion holds certain JSON strings, such as a code. They stand in the line letter by letter,
 * unless something is written as `\uXXXX`: then the look decides nothing. Characters that JSON can escape otherwise
 * (quote, backslash, slash, controls) are never part of what is looked for.
 */
export function literalTest(queries: readonly Query[]): (line: Buffer) => boolean {
  const demands = queries.map(queryDemands)
  if (demands.some((query) => query.length === 0)) return () => true
  const holds = (line: Buffer): boolean =>
    demands.some((query) => query.every((alternatives) => alternatives.some((literal) => line.includes(literal))))
  return (line) => holds(line) || line.includes(escapedCharacter)
}

const escapedCharacter = Buffer.from('\\u')

/** What a line must hold to meet a query: of each list one. */
function queryDemands({ type, criteria }: Query): Buffer[][] {
  return criteria.flatMap((criterion) => {
    const parameter = searchParameter(type, criterion.parameter)
    const alternatives = parameter && criterionLiterals(criterion, parameter)
    return alternatives === undefined ? [] : [alternatives]
  })
}

function criterionLiterals(criterion: Criterion, parameter: SearchParameter): Buffer[] | undefined {
  if ('missing' in criterion ? criterion.missing : criterion.negated) return undefined
  const values = 'values' in criterion && criterion.values.length <= alternativesMax ? criterion.values : []
  const literals = values.map((value) => valueLiteral(value, parameter))
  return literals.length > 0 && literals.every((literal) => literal !== undefined) ? literals : memberNames(parameter)
}

/** The names of the members that hold the values. A resource that is itself the element has none. */
function memberNames(parameter: SearchParameter): Buffer[] | undefined {
  const paths: readonly ElementPath[] =
    parameter.type === 'composite' ? parameter.components.at(-1)!.paths : parameter.paths
  const names = paths.map(({ steps }) => steps.findLast((step) => typeof step === 'string'))
  if (names.some((name) => name === undefined)) return undefined
  return [...new Set(names as string[])].map((name) => Buffer.from(`"${name}"`))
}

const implied: readonly Datatype[] = ['boolean', 'deceased']

/** A literal that each match of the value holds, if one is known. */
function valueLiteral(value: Value, parameter: SearchParameter): Buffer | undefined {
  const has = (datatypes: readonly Datatype[]) => parameter.paths.some(({ datatype }) => datatypes.includes(datatype))
  switch (value.kind) {
    case 'token':
      if (has(implied)) return undefined
      return value.code === undefined && has(['code']) ? undefined : wholeLiteral(value.code ?? value.system)
    case 'typed-identifier':
      return wholeLiteral(value.value)
    case 'reference-identifier':
      return wholeLiteral(value.identifier.code ?? value.identifier.system)
    case 'quantity':
      // A UCUM code may be another one in the record.
      return wholeLiteral(value.system === ucumSystem ? value.system : (value.code ?? value.system))
    case 'string':
      return value.match === 'exact' ? wholeLiteral(value.text) : undefined
    case 'reference':
      return longestRun(value.reference.replace(/\/_history\/[^/]*$/, '').replace(/^.*\//s, ''), '', '')
    case 'canonical':
      return longestRun(value.url, '"', '')
    case 'uri':
      if (value.match === 'above') return undefined
      return longestRun(value.uri, '"', value.match === 'exact' ? '"' : '')
    case 'composite':
      return compositeLiteral(value.parts, parameter)
    case 'date':
    case 'text':
      return undefined
  }
}

function compositeLiteral(parts: readonly Value[], parameter: SearchParameter): Buffer | undefined {
  if (parameter.type !== 'composite') return undefined
  const literals = parts.map((part, index) => valueLiteral(part, parameter.components[index]!))
  return literals.find((literal) => literal !== undefined)
}

const wholeLiteral = (text: string | undefined): Buffer | undefined =>
  text === undefined ? undefined : longestRun(text, '"', '"')

/** The longest run of a text between its quotes, if it has them, that JSON writes in one way, `\uXXXX` apart. */
function longestRun(text: string, opening: '"' | '', closing: '"' | ''): Buffer | undefined {
  const runs = text.split(/["\\/\ufffd]|[\p{Cc}\p{Cs}]/u)
  runs[0] = `${opening}${runs[0]}`
  runs[runs.length - 1] += closing
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '')
  return longest.length > 1 ? Buffer.from(longest) : undefined
}

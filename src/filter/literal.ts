import type { Criterion, Query, Value } from './query.ts'
import { type Datatype, type ElementPath, type SearchParameter, searchParameter } from './search-parameter.ts'
import { ucumSystem } from './ucum/conversion.ts'

/** A criterion with more alternatives than these is not searched for in the bytes: each is a search through all of them. */
const alternativesMax = 4

/**
 * Seeks the next line that may be wanted, from where a line begins on.
 * @returns where it begins; the length of the lines when there is none. Who goes forwards has them gone through once
 */
export type LineSearch = (lines: Buffer, from: number) => number

/**
 * A quick look at the bytes of lines: passes over those only that no query can accept, so that they need not be looked at closely.
 * Every match of a criterion holds certain JSON strings, such as a code. They stand in the line letter by letter,
 * unless something is written as `\uXXXX`: then the look decides nothing. Characters that JSON can escape otherwise
 * (quote, backslash, slash, controls) are never part of what is looked for.
 * @param lists of each a line must meet one query
 */
export function literalSearch(lists: readonly (readonly Query[])[]): LineSearch {
  const demands = lists.map((queries) => queries.map(queryDemands))
  const deciding = demands.filter((queries) => queries.every((query) => query.length > 0))
  if (deciding.length === 0) return (_, from) => from
  const searches = new Searches()
  const ofLists = deciding.map((queries) => anyLine(queries.map((query) => commonLine(searches.each(query)))))
  return anyLine([commonLine(ofLists), lineWith(escapedCharacter)])
}

/** What is demanded twice, as by two bounds of one date, is searched once. */
class Searches {
  readonly #byLiteral = new Map<string, LineSearch>()
  readonly #byDemand = new Map<string, LineSearch>()

  each(demands: readonly Buffer[][]): LineSearch[] {
    return [...new Set(demands.map((alternatives) => this.#any(alternatives)))]
  }

  #any(alternatives: readonly Buffer[]): LineSearch {
    return remembered(this.#byDemand, alternatives.map(String).join('\n'), () =>
      anyLine(alternatives.map((literal) => remembered(this.#byLiteral, String(literal), () => lineWith(literal)))),
    )
  }
}

function remembered<Value>(known: Map<string, Value>, key: string, make: () => Value): Value {
  const value = known.get(key) ?? make()
  known.set(key, value)
  return value
}

const quote = 0x22
const lineFeed = 0x0a

const escapedCharacter = Buffer.from('\\u')

/** Lines that hold a literal. */
function lineWith(literal: Buffer): LineSearch {
  // A search goes from one place to the next that has the first byte: quotes are everywhere.
  const isQuoted = literal[0] === quote
  const sought = isQuoted ? literal.subarray(1) : literal
  let searched: Buffer | undefined
  let [since, found] = [0, 0]
  return (lines, from) => {
    if (lines === searched && from >= since && from <= found) return found
    let at = lines.indexOf(sought, from)
    while (isQuoted && at >= 0 && lines[at - 1] !== quote) at = lines.indexOf(sought, at + 1)
    searched = lines
    since = from
    found = at < 0 ? lines.length : lines.lastIndexOf(lineFeed, at) + 1
    return found
  }
}

/** Lines that one of the searches finds. */
function anyLine(searches: readonly LineSearch[]): LineSearch {
  if (searches.length === 1) return searches[0]!
  return (lines, from) => {
    let first = lines.length
    for (const search of searches) {
      first = Math.min(first, search(lines, from))
      if (first === from) break
    }
    return first
  }
}

/** Lines that all of the searches find: each goes on from where another has come to. */
function commonLine(searches: readonly LineSearch[]): LineSearch {
  if (searches.length === 1) return searches[0]!
  return (lines, from) => {
    let at = from
    for (let agreed = 0, index = 0; agreed < searches.length; index = (index + 1) % searches.length) {
      const found = searches[index]!(lines, at)
      agreed = found === at ? agreed + 1 : 1
      at = found
      if (at === lines.length) break
    }
    return at
  }
}

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

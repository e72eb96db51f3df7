import { quoted } from '../../protocol/client-text.ts'
import { type Problem, problem } from '../../protocol/problem.ts'
import { isFault } from '../fault.ts'
import { criteriaMax, typeFilterCharsMax } from '../limits.ts'
import type { Criterion, Query } from '../query.ts'
import { cutQueries, percentDecoded } from '../query-text.ts'
import { type CriterionFault, readCriterion } from './criterion.ts'
import { checkDocumentedDates, documentedRule } from './documented.ts'
import type { TypeFilterSwitches } from './switches.ts'

export interface TypeFilterContext {
  /** The types that `_type` names; undefined when it is absent. */
  readonly types: readonly string[] | undefined
  /** The types that can be exported. */
  readonly exported: readonly string[]
  readonly switches: TypeFilterSwitches
}

/** The queries of each type, of which a record must meet one; or, with no queries, all that is wrong with the text. */
export interface ParsedTypeFilter {
  readonly queries: ReadonlyMap<string, readonly Query[]>
  readonly problems: readonly Problem[]
}

/**
 * Reads the values of `_typeFilter` (S-31…S-38; search-params §4). `at` is the FHIRPath location of a value.
 * Problems: 400 when `_type` is absent or does not name a query's type, and when a type has two queries and may not;
 * 422 for everything about the content of a query (O-3). Leniency never applies (O-4).
 */
export function parseTypeFilter(
  values: readonly { readonly text: string; readonly at: string }[],
  { types, exported, switches }: TypeFilterContext,
): ParsedTypeFilter {
  const problems: Problem[] = []
  const queries = new Map<string, Query[]>()
  if (values.length > 0 && types === undefined && switches.requireType) {
    problems.push(problem(400, 'required', '_typeFilter needs _type.', { expression: values[0]!.at }))
  }
  let chars = 0
  for (const { text, at } of values) {
    chars += text.length
    if (chars > typeFilterCharsMax) {
      problems.push(
        problem(422, 'too-long', `_typeFilter may have at most ${typeFilterCharsMax} characters.`, { expression: at }),
      )
      break
    }
    for (const piece of switches.commaSplit ? cutQueries(text) : [text.trim()]) {
      const reader = new QueryReader(piece, at, switches)
      const query = reader.read(types, exported)
      problems.push(...reader.problems)
      if (query === undefined) continue
      const known = queries.get(query.type)
      if (known?.length === 1 && switches.sameType === 'error') problems.push(reader.repeated(query.type))
      if (known) known.push(query)
      else queries.set(query.type, [query])
    }
  }
  return problems.length > 0 ? { queries: new Map(), problems } : { queries, problems }
}

/** A plus sign that only the zone of a date can have, its colons percent-encoded or not. */
const zonePlus = /(?<=T[\d.:]*\d|T\d\d%3A\d\d(?:%3A[\d.]+)?)\+(?=\d\d(?::|%3A)\d\d)/gi

/** Form encoders write a blank as a plus sign, others write one as it is: whichever is guessed, the query would silently match too little. */
const barePlus: CriterionFault = {
  code: 'value',
  fault: 'a plus sign that is not percent-encoded may also be a blank',
  allowed: '%2B for a plus sign, %20 for a blank',
}

/** Reads one query; what is wrong with it gathers in `problems`. */
class QueryReader {
  readonly problems: Problem[] = []
  readonly #source: string
  readonly #at: string
  readonly #switches: TypeFilterSwitches

  constructor(source: string, at: string, switches: TypeFilterSwitches) {
    this.#source = source
    this.#at = at
    this.#switches = switches
  }

  /** The query as far as it can be read, or undefined when its type is already wrong. */
  read(types: readonly string[] | undefined, exported: readonly string[]): Query | undefined {
    // A client may have encoded the whole query, its question mark too.
    const text = this.#source.includes('?') ? this.#source : percentDecoded(this.#source)
    const [, type, parameters] = /^([A-Za-z]+)\?(.+)$/s.exec(text ?? '') ?? []
    if (type === undefined || parameters === undefined) {
      return this.#refuse(422, 'value', 'A query of _typeFilter must have the form Type?parameter=value.')
    }
    if (!(types ?? exported).includes(type)) {
      const reason = types === undefined ? 'which cannot be exported' : 'which _type does not name'
      return this.#refuse(400, 'value', `A query of _typeFilter is for ${quoted(type)}, ${reason}.`, types?.join(', '))
    }
    if (this.#switches.deniedTypes.includes(type)) {
      return this.#refuse(422, 'not-supported', `${type} cannot be filtered.`)
    }
    const parts = parameters.split('&')
    if (parts.length > criteriaMax) {
      return this.#refuse(422, 'too-long', `A query of _typeFilter may have at most ${criteriaMax} parameters.`)
    }
    const criteria = parts.flatMap((part) => this.#criterion(type, part))
    this.#checkDates(type, criteria)
    return { type, criteria }
  }

  repeated(type: string): Problem {
    return this.#problem(400, 'business-rule', `_typeFilter may have one query for ${type}.`)
  }

  #criterion(type: string, text: string): Criterion[] {
    const [, name, value] = (/^([^=]+)=(.*)$/s.exec(text) ?? []).map(percentDecoded)
    if (name !== undefined && text.replaceAll(zonePlus, '').includes('+')) {
      this.#refuseCriterion(type, name, barePlus)
      return []
    }
    if (name === undefined || value === undefined) {
      this.#refuse(422, 'value', `The query on ${type} in _typeFilter has a part that is not parameter=value.`)
      return []
    }
    const criterion = readCriterion(type, name, value, this.#switches)
    if (!isFault(criterion)) return [criterion]
    this.#refuseCriterion(type, name, criterion)
    return []
  }

  /** Rules on how often a documented date is given, once all that name it could be read. */
  #checkDates(type: string, criteria: readonly Criterion[]): void {
    if (!this.#switches.documentedOnly || this.problems.length > 0) return
    for (const code of new Set(criteria.map(({ parameter }) => parameter))) {
      const same = criteria.filter(({ parameter }) => parameter === code)
      const fault = checkDocumentedDates(same, documentedRule(type, code)!)
      if (fault !== undefined) this.#refuseCriterion(type, code, { ...fault, code: 'value' })
    }
  }

  #refuseCriterion(type: string, name: string, { fault, allowed, code }: CriterionFault): void {
    this.#refuse(422, code, `_typeFilter, ${quoted(name)} of ${type}: ${fault}.`, allowed)
  }

  #refuse(status: 400 | 422, code: Problem['code'], text: string, allowed?: string): undefined {
    this.problems.push(this.#problem(status, code, text, allowed))
  }

  #problem(status: 400 | 422, code: Problem['code'], text: string, allowed?: string): Problem {
    const diagnostics = `Query: ${quoted(this.#source)}.${allowed === undefined ? '' : ` Allowed: ${allowed}.`}`
    return problem(status, code, text, { diagnostics, expression: this.#at })
  }
}

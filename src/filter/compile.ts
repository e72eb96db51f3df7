import { literalTest } from './literal.ts'
import { dateTest } from './match/date.ts'
import { hasValue, someElement, type Test } from './match/element.ts'
import { quantityTest } from './match/quantity.ts'
import { canonicalTest, referenceIdentifierTest, referenceTest, refersToTest } from './match/reference.ts'
import { codedTextTest, stringTest } from './match/string.ts'
import { tokenTest, typedIdentifierTest } from './match/token.ts'
import { uriTest } from './match/uri.ts'
import type { CompositeValue, Criterion, Query, Value } from './query.ts'
import { type CompositeParameter, type ElementPath, type SearchParameter, searchParameter } from './search-parameter.ts'

/** What the records of one type must be like. */
export interface Filter {
  /** Whether a parsed resource meets one of the queries. */
  readonly matches: (resource: unknown) => boolean
  /** A quick look at the bytes of a record: false only when `matches` would be false too. */
  readonly mayMatch: (line: Buffer) => boolean
}

/** What a filter depends on beside its queries. */
export interface FilterContext {
  /** The URLs under which the records of this tenant are known; references below them are its own. */
  readonly bases: readonly string[]
  /** What `ap` measures the distance of dates from: the transaction time, so that a repeated export finds the same. */
  readonly now: Date
}

/** Compiles the queries on one type, at least one, to a filter. A record must meet one of them. */
export function compileFilter(queries: readonly Query[], context: FilterContext): Filter {
  if (queries.length === 0) throw new Error('a filter without queries would let nothing pass')
  const tests = queries.map((query) => queryTest(query, context))
  return { matches: (resource) => tests.some((test) => test(resource)), mayMatch: literalTest(queries) }
}

/** Compiles several lists of queries to one filter: of each list a record must meet one query. */
export function compileFilters(lists: readonly (readonly Query[])[], context: FilterContext): Filter {
  const filters = lists.map((queries) => compileFilter(queries, context))
  return {
    matches: (resource) => filters.every(({ matches }) => matches(resource)),
    mayMatch: (line) => filters.every(({ mayMatch }) => mayMatch(line)),
  }
}

function queryTest({ type, criteria }: Query, context: FilterContext): Test {
  const tests = criteria.map((criterion) => {
    const parameter = searchParameter(type, criterion.parameter)
    if (parameter === undefined) throw new Error(`${type} has no search parameter ${criterion.parameter}`)
    return criterionTest(criterion, parameter, context)
  })
  return (resource) => tests.every((test) => test(resource))
}

function criterionTest(criterion: Criterion, parameter: SearchParameter, context: FilterContext): Test {
  if ('missing' in criterion) {
    const present = anyPath(parameter.paths, () => hasValue)
    return (resource) => present(resource) !== criterion.missing
  }
  const found = valuesTest(criterion.values, parameter, context)
  return criterion.negated ? (resource) => !found(resource) : found
}

/** Whether an element on one of the paths has one of the values. */
function valuesTest(values: readonly Value[], parameter: SearchParameter, context: FilterContext): Test {
  return anyPath(parameter.paths, (path) => {
    const tokens = values.filter((value) => value.kind === 'token')
    if (tokens.length === values.length) return tokenTest(tokens, path)
    const tests = values.map((value) =>
      parameter.type === 'composite'
        ? compositeTest(value as CompositeValue, parameter, context)
        : valueTest(value, path, context),
    )
    return (element) => tests.some((test) => test(element))
  })
}

function anyPath(paths: readonly ElementPath[], testOf: (path: ElementPath) => Test): Test {
  const tests = paths.map((path): Test => {
    const test = testOf(path)
    const refers = path.refersTo === undefined ? undefined : refersToTest(path.refersTo)
    const leaf: Test = refers === undefined ? test : (element) => refers(element) && test(element)
    return (element) => someElement(element, path.steps, leaf)
  })
  return (element) => tests.some((test) => test(element))
}

/** All components on the same element. */
function compositeTest({ parts }: CompositeValue, { components }: CompositeParameter, context: FilterContext): Test {
  const tests = parts.map((part, index) => valuesTest([part], components[index]!, context))
  return (element) => tests.every((test) => test(element))
}

function valueTest(value: Value, path: ElementPath, context: FilterContext): Test {
  switch (value.kind) {
    case 'token':
      return tokenTest([value], path)
    case 'text':
      return codedTextTest(value.text, path.datatype)
    case 'typed-identifier':
      return typedIdentifierTest(value)
    case 'date':
      return dateTest(value, path.datatype, context.now)
    case 'string':
      return stringTest(value, path.datatype)
    case 'reference':
      return referenceTest(value, context.bases)
    case 'reference-identifier':
      return referenceIdentifierTest(value)
    case 'canonical':
      return canonicalTest(value)
    case 'quantity':
      return quantityTest(value, path.datatype)
    case 'uri':
      return uriTest(value)
    case 'composite':
      throw new Error('a composite value has no single element')
  }
}

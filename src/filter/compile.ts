import { allOf, anyOf, type Expression, type MemberTest, not, type Subject } from './expression.ts'
import { LineReader } from './line-reader.ts'
import { type LineSearch, literalSearch } from './literal.ts'
import { dateTest } from './match/date.ts'
import { hasValue, someElement, type Test } from './match/element.ts'
import { quantityTest } from './match/quantity.ts'
import { canonicalTest, referenceIdentifierTest, referenceTest, refersToTest } from './match/reference.ts'
import { codedTextTest, stringTest } from './match/string.ts'
import { deceasedMembers, tokenTest, typedIdentifierTest } from './match/token.ts'
import { uriTest } from './match/uri.ts'
import { type MemberDecision, memberDecision } from './member-decision.ts'
import type { CompositeValue, Criterion, Query, Value } from './query.ts'
import { type CompositeParameter, type ElementPath, type SearchParameter, searchParameter } from './search-parameter.ts'

/** What the records of one type must be like. */
export interface Filter {
  /** Whether a parsed resource meets one of the queries. */
  readonly matches: (resource: unknown) => boolean
  /**
   * The same of a line in [start, end), without parsing it where that can be spared. It is the text of a stored record: that it is JSON is
   * not asked again.
   */
  readonly passes: (lines: Buffer, start: number, end: number) => boolean
  /** A quick look at the bytes: seeks the next line that may pass. */
  readonly next: LineSearch
  /** Whether lines pass of which one member is known; undefined when that depends on other members, too. */
  readonly decides: MemberDecision
}

/** What a filter depends on beside its queries. */
export interface FilterContext {
  /** The URLs under which the records of this tenant are known; references below them are its own. */
  readonly bases: readonly string[]
  /** What `ap` measures the distance of dates from: the transaction time, so that a repeated export finds the same. */
  readonly now: Date
}

/** Compiles the queries on one type, at least one, to a filter. A record must meet one of them. */
export const compileFilter = (queries: readonly Query[], context: FilterContext): Filter =>
  compileFilters([queries], context)

/** Compiles several lists of queries to one filter: of each list a record must meet one query. */
export function compileFilters(lists: readonly (readonly Query[])[], context: FilterContext): Filter {
  const compiler = new Compiler(context)
  const expression = allOf(lists.map((queries) => compiler.queries(queries)))
  const { tests } = compiler
  const matches = (resource: unknown) => expression({ holds: (index) => tests[index]!.test(resource) })
  const parsed = (lines: Buffer, start: number, end: number) => matches(JSON.parse(lines.toString('utf8', start, end)))
  const next = literalSearch(lists)
  const decides = memberDecision(expression, tests)
  if (tests.some(({ names }) => names === undefined)) return { matches, passes: parsed, next, decides }
  let reader: LineReader | undefined
  const passes: Filter['passes'] = (lines, start, end) => {
    reader ??= new LineReader(expression, tests)
    return reader.meets(lines, start, end) ?? parsed(lines, start, end)
  }
  return { matches, passes, next, decides }
}

/** Makes one expression of queries, and gathers what it asks. */
class Compiler {
  readonly tests: MemberTest[] = []
  readonly #context: FilterContext

  constructor(context: FilterContext) {
    this.#context = context
  }

  queries(queries: readonly Query[]): Expression {
    if (queries.length === 0) throw new Error('a filter without queries would let nothing pass')
    return anyOf(queries.map((query) => this.#query(query)))
  }

  #query({ type, criteria }: Query): Expression {
    const expressions = criteria.map((criterion) => {
      const parameter = searchParameter(type, criterion.parameter)
      if (parameter === undefined) throw new Error(`${type} has no search parameter ${criterion.parameter}`)
      return this.#criterion(criterion, parameter)
    })
    return allOf(expressions)
  }

  #criterion(criterion: Criterion, parameter: SearchParameter): Expression {
    if ('missing' in criterion) {
      const present = anyOf(
        parameter.paths.map((path) => this.#asked({ ...lookedAt(path), test: pathTest(path, hasValue) })),
      )
      return criterion.missing ? not(present) : present
    }
    const found = this.#values(criterion.values, parameter)
    return criterion.negated ? not(found) : found
  }

  /** Whether an element on one of the paths has one of the values. */
  #values(values: readonly Value[], parameter: SearchParameter): Expression {
    return anyOf(
      parameter.paths.map((path) => {
        if (parameter.type === 'composite' && path.steps.length === 0) return this.#ofResource(values, parameter)
        const looks = path.datatype === 'deceased' ? { names: deceasedMembers } : lookedAt(path)
        return this.#asked({ ...looks, test: valuesTest(values, path, parameter, this.#context) })
      }),
    )
  }

  /** The element of a composite is the resource itself: each component looks at a member of its own. */
  #ofResource(values: readonly Value[], { components }: CompositeParameter): Expression {
    return anyOf(
      (values as readonly CompositeValue[]).map(({ parts }) =>
        allOf(parts.map((part, index) => this.#values([part], components[index]!))),
      ),
    )
  }

  #asked(test: MemberTest): Expression {
    const index = this.tests.push(test) - 1
    return (subject: Subject) => subject.holds(index)
  }
}

/** The members that a path leads through; any, if it ends at the resource itself. */
function lookedAt({ steps: [first, second] }: ElementPath): Pick<MemberTest, 'names' | 'inner'> {
  if (typeof first !== 'string') return { names: undefined }
  return typeof second === 'string' ? { names: [first], inner: second } : { names: [first] }
}

function pathTest(path: ElementPath, test: Test): Test {
  const refers = path.refersTo === undefined ? undefined : refersToTest(path.refersTo)
  const leaf: Test = refers === undefined ? test : (element) => refers(element) && test(element)
  return (element) => someElement(element, path.steps, leaf)
}

/** Whether an element on a path has one of the values. */
function valuesTest(
  values: readonly Value[],
  path: ElementPath,
  parameter: SearchParameter,
  context: FilterContext,
): Test {
  const tokens = values.filter((value) => value.kind === 'token')
  if (tokens.length === values.length) return pathTest(path, tokenTest(tokens, path))
  const tests = values.map((value) =>
    parameter.type === 'composite'
      ? compositeTest(value as CompositeValue, parameter, context)
      : valueTest(value, path, context),
  )
  return pathTest(path, (element) => tests.some((test) => test(element)))
}

/** All components on the same element. */
function compositeTest({ parts }: CompositeValue, { components }: CompositeParameter, context: FilterContext): Test {
  const tests = parts.map((part, index) => {
    const component = components[index]!
    const ofPaths = component.paths.map((path) => valuesTest([part], path, component, context))
    return (element: unknown) => ofPaths.some((test) => test(element))
  })
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

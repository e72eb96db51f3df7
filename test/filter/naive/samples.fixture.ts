import { modifiersOf } from '../../../src/filter/parse/modifiers.ts'
import type { ElementPath, SearchParameter, SimpleParameter } from '../../../src/filter/search-parameter.ts'
import { codesOfSystem } from './concepts.fixture.ts'
import {
  booleanQuestions,
  canonicalQuestions,
  elements,
  missingQuestions,
  questions,
  textQuestions,
  typedIdentifierQuestions,
} from './pools.fixture.ts'

export type Resource = { readonly resourceType: string; readonly id: string; readonly [name: string]: unknown }

/** Resources that have each value of the pools where a parameter looks, alone and in pairs, and one that has none. */
export function samples(type: string, parameter: SearchParameter): Resource[] {
  const bodies = parameter.type === 'composite' ? compositeBodies(parameter) : simpleBodies(parameter)
  return [{}, ...bodies].map((body, index) => ({ resourceType: type, id: `sample-${index}`, ...body }))
}

function simpleBodies(parameter: SimpleParameter): object[] {
  return parameter.paths.flatMap((path) => {
    const values = valuesAt(path, parameter)
    const pairs = values.map((value, index) => [values[(index * 3 + 1) % values.length], value])
    return [...values, ...pairs].map((value) => placed(path, value))
  })
}

function valuesAt({ datatype, systems, refersTo }: ElementPath, { targets }: SimpleParameter): readonly unknown[] {
  if (datatype === 'deceased') return [true]
  const target = refersTo ?? targets?.[0] ?? 'Practitioner'
  const text = JSON.stringify(elements[datatype]).replaceAll('TARGET', target)
  return JSON.parse(systems === undefined ? text : text.replaceAll('CODE', knownCode(systems)))
}

/** A code that an element with these systems may have. */
const knownCode = ([system = '']: readonly string[]): string => codesOfSystem(system)[0] ?? 'en'

/** A value at the end of the steps of a path; a list becomes an array there. */
function placed({ steps, datatype }: ElementPath, value: unknown): object {
  if (datatype === 'deceased') return { deceasedDateTime: '2020' }
  return steps.reduceRight<unknown>((inner, step) => {
    if (typeof step === 'string') return { [step]: inner }
    const items = (Array.isArray(inner) ? inner : [inner]) as object[]
    return items.map((item) => ({ ...item, [step.where]: step.is }))
  }, value) as object
}

/** Elements with each pair of the components' values, and two elements that have what is asked for only together. */
function compositeBodies({ paths, components }: Extract<SearchParameter, { type: 'composite' }>): object[] {
  const bodies = components.map((component) => simpleBodies(component))
  const [first = [], second = []] = bodies
  const both = second.flatMap((body, index) => [
    { ...first[index % first.length], ...body },
    { ...first[0], ...body },
  ])
  return paths.flatMap((path) => {
    const apart =
      path.steps.length === 0 ? [] : both.map((body, index) => [{ ...first[0] }, second[index % second.length], body])
    return [...both, ...apart].map((value) => placed(path, value))
  })
}

/** What to ask of a parameter: `:modifier=value`. */
export function questionsFor(parameter: SearchParameter): string[] {
  if (parameter.type === 'composite') return compositeQuestions(parameter)
  const has = (datatype: string) => parameter.paths.some((path) => path.datatype === datatype)
  const supported = modifiersOf(parameter)
  const target = parameter.targets?.[0] ?? 'Practitioner'
  let asked: readonly string[] = questions[parameter.type]
  if ((has('canonical') || has('uri')) && parameter.type === 'reference') asked = canonicalQuestions
  if (has('boolean') || has('deceased')) asked = booleanQuestions
  if (has('ContactPoint') || has('id')) asked = asked.filter((question) => !question.includes('|'))
  const more = [
    ...(supported.includes('text') ? textQuestions : []),
    ...(supported.includes('of-type') ? typedIdentifierQuestions : []),
    ...missingQuestions,
    ...parameter.paths.flatMap(({ systems = [] }) => systems.map((system) => `=${system}|${knownCode(systems)}`)),
  ]
  return [...asked, ...more].map((question) => question.replaceAll('TARGET', target))
}

function compositeQuestions({ components }: Extract<SearchParameter, { type: 'composite' }>): string[] {
  const [first = [], second = []] = components.map((component) =>
    questionsFor(component)
      .filter((question) => question.startsWith('=') && !/[\\,]/.test(question))
      .map((question) => question.slice(1)),
  )
  const some = second.filter((_, index) => index % 3 === 0)
  return some.flatMap((value, index) => [`=${first[0]}$${value}`, `=${first[index % first.length]}$${value}`])
}

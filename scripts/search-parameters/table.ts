import { clinicalTypes } from '../../src/fhir/resource-types.ts'
import type {
  CompositeParameter,
  ElementPath,
  SearchParameter,
  SearchType,
  SimpleParameter,
} from '../../src/filter/search-parameter.ts'
import {
  codeSystems,
  elementDefinitions,
  officialParameters,
  type ParameterDefinition,
  usCoreParameters,
} from './definitions.ts'
import { ElementPaths } from './element-paths.ts'
import { branches, type Part } from './expression.ts'

/** The types that get a table, in its order; `Resource` holds the parameters common to all. */
export const tableTypes = [...clinicalTypes, 'Patient', 'Practitioner', 'Organization', 'Location', 'Resource'] as const

export type Table = Readonly<Record<(typeof tableTypes)[number], Readonly<Record<string, SearchParameter>>>>

/** US Core parameters beside R4's (search-params §6). */
const usCore = ['CareTeam role', 'Condition asserted-date', 'Encounter discharge-disposition', 'Goal description']

/** Oracle's own parameter (search-params §9). */
const oracle: ParameterDefinition = {
  url: '',
  code: '-timing-boundsPeriod',
  base: ['MedicationRequest'],
  type: 'date',
  expression: 'MedicationRequest.dosageInstruction.timing.repeat.bounds.ofType(Period)',
}

/** Not in the table: a position needs its own logic, a phonetic match its own algorithm; the rest have no expression. */
const skipped = new Set(['near', 'phonetic', '_content', '_query'])

/** A parameter with more targets than these may refer to anything. */
const targetsMax = 100

const deceased: SimpleParameter = { type: 'token', paths: [{ steps: [], datatype: 'deceased' }] }

/** Compiles the official definitions to the table of search parameters. Throws when one cannot be compiled. */
export function searchParameterTable(): Table {
  const official = officialParameters()
  const definitions = [
    ...official,
    ...usCoreParameters().filter(({ base, code }) => usCore.includes(`${base[0]} ${code}`)),
    oracle,
  ]
  const compiler = new Compiler(new ElementPaths(elementDefinitions(), codeSystems()), official)
  return Object.fromEntries(
    tableTypes.map((type) => [
      type,
      Object.fromEntries(
        definitions
          .filter(({ base, code }) => base.includes(type) && !skipped.has(code))
          .sort((a, b) => (a.code < b.code ? -1 : 1))
          .map((definition) => [definition.code, compiler.row(type, definition)]),
      ),
    ]),
  ) as Table
}

class Compiler {
  readonly #paths: ElementPaths
  readonly #official: ReadonlyMap<string, ParameterDefinition>

  constructor(paths: ElementPaths, official: readonly ParameterDefinition[]) {
    this.#paths = paths
    this.#official = new Map(official.map((definition) => [definition.url, definition]))
  }

  row(type: string, definition: ParameterDefinition): SearchParameter {
    const { code, expression = '' } = definition
    if (type === 'Patient' && code === 'deceased') return deceased
    const own = branches(expression).filter(([first]) => first !== undefined && 'name' in first && first.name === type)
    if (definition.component) return this.#composite(type, definition, own)
    const paths = own.flatMap(([, ...parts]) => this.#paths.compile(type, parts, definition.type))
    return { type: definition.type as SearchType, paths, ...targetsOf(definition) }
  }

  #composite(type: string, definition: ParameterDefinition, own: readonly Part[][]): CompositeParameter {
    const paths = own.flatMap(([, ...parts]) => this.#paths.compile(type, parts, 'composite'))
    const bases = own.map((parts) => parts.map((part) => ('name' in part ? part.name : '')).join('.'))
    return { type: 'composite', paths, components: this.#components(definition, bases) }
  }

  #components(definition: ParameterDefinition, bases: readonly string[]): SimpleParameter[] {
    const components = definition.component ?? []
    // The official expressions of `relationship` stand in the wrong order: its reference is said to be in `code`.
    const expressions = components.map(({ expression }) => expression)
    if (definition.code === 'relationship') expressions.reverse()
    return components.map((component, index) => {
      const simple = this.#official.get(component.definition)!
      const all = bases.flatMap((base) =>
        branches(expressions[index]!).flatMap((parts) => this.#paths.compile(base, parts, simple.type)),
      )
      return { type: simple.type as SearchType, paths: distinct(all), ...targetsOf(simple) }
    })
  }
}

const distinct = (paths: readonly ElementPath[]): ElementPath[] => [
  ...new Map(paths.map((path) => [JSON.stringify(path), path])).values(),
]

function targetsOf({ target }: ParameterDefinition): { targets?: readonly string[] } {
  return target === undefined || target.length > targetsMax ? {} : { targets: [...target].sort() }
}

import { allTypes, clinicalTypes, documentedTypes } from '../../src/fhir/resource-types.ts'
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
import { NotSearchable } from './not-searchable.ts'

/** The types that get a table, in its order; `Resource` holds the parameters common to all. */
export const tableTypes: readonly string[] = [...new Set<string>([...clinicalTypes, ...allTypes]), 'Resource']

export type Table = Readonly<Record<string, Readonly<Record<string, SearchParameter>>>>

/** Parameters of R4 that the table does not have, by type and code, each with the reason. */
export type Refused = Readonly<Record<string, Readonly<Record<string, string>>>>

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

/** Not in the table: they have no expression, or none that says what matches. */
const skipped: Readonly<Record<string, string>> = {
  near: 'a position needs a distance',
  phonetic: 'R4 does not say what sounds alike',
  _content: 'it has no expression',
  _query: 'it has no expression',
}

/** A parameter with more targets than these may refer to anything. */
const targetsMax = 100

const deceased: SimpleParameter = { type: 'token', paths: [{ steps: [], datatype: 'deceased' }] }

/** Compiles the official definitions to the table of search parameters, and tells which of them it does not have. */
export function searchParameterTable(): { readonly table: Table; readonly refused: Refused } {
  const official = officialParameters()
  const definitions = [
    ...official,
    ...usCoreParameters().filter(({ base, code }) => usCore.includes(`${base[0]} ${code}`)),
    oracle,
  ]
  const compiler = new Compiler(new ElementPaths(elementDefinitions(), codeSystems()), official)
  const table: Record<string, Record<string, SearchParameter>> = {}
  const refused: Record<string, Record<string, string>> = {}
  for (const type of tableTypes) {
    const own = definitions.filter(({ base }) => base.includes(type)).sort((a, b) => (a.code < b.code ? -1 : 1))
    const rows = own.map((definition) => [definition.code, rowOrReason(compiler, type, definition)] as const)
    table[type] = Object.fromEntries(rows.filter((row): row is [string, SearchParameter] => typeof row[1] !== 'string'))
    refused[type] = Object.fromEntries(rows.filter((row): row is [string, string] => typeof row[1] === 'string'))
  }
  return { table, refused }
}

function rowOrReason(compiler: Compiler, type: string, definition: ParameterDefinition): SearchParameter | string {
  const reason = skipped[definition.code]
  if (reason !== undefined) return reason
  if (!searchTypes.includes(definition.type)) return `values of type ${definition.type} are not compared`
  try {
    return compiler.row(type, definition)
  } catch (error) {
    if (error instanceof NotSearchable) return error.message
    throw error
  }
}

const searchTypes = ['token', 'date', 'string', 'reference', 'quantity', 'uri', 'composite']

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
    if (own.length === 0) throw new NotSearchable('its official expression names no element of the type')
    if (definition.component) return this.#composite(type, definition, own)
    const paths = own.flatMap(([, ...parts]) => this.#paths.compile(type, parts, definition.type))
    if (!isDocumented(type) && paths.some(isOfSeveralSystems))
      throw new NotSearchable('its codes are of several systems')
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
      if (all.some(({ datatype }) => datatype === 'boolean'))
        throw new NotSearchable('one of its parts may be a boolean')
      return { type: simple.type as SearchType, paths: distinct(all), ...targetsOf(simple) }
    })
  }
}

/** Which of them a code is of is not told by the binding. The types that Oracle documents have such parameters, where it makes no difference. */
const isOfSeveralSystems = ({ systems = [] }: ElementPath): boolean => systems.length > 1

const isDocumented = (type: string): boolean => (documentedTypes as readonly string[]).includes(type)

const distinct = (paths: readonly ElementPath[]): ElementPath[] => [
  ...new Map(paths.map((path) => [JSON.stringify(path), path])).values(),
]

function targetsOf({ target }: ParameterDefinition): { targets?: readonly string[] } {
  return target === undefined || target.length > targetsMax ? {} : { targets: [...target].sort() }
}

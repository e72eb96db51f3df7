import { type SearchedType, searchParameters } from './search-parameters.generated.ts'

/** The R4 datatypes in which searched values are found; Age, Duration and the like count as Quantity. */
export type Datatype =
  | 'Address'
  | 'BackboneElement'
  | 'CodeableConcept'
  | 'Coding'
  | 'ContactPoint'
  | 'HumanName'
  | 'Identifier'
  | 'Period'
  | 'Quantity'
  | 'Range'
  | 'Reference'
  | 'SampledData'
  | 'Timing'
  | 'boolean'
  | 'canonical'
  | 'code'
  | 'date'
  | 'dateTime'
  | 'deceased'
  | 'id'
  | 'instant'
  | 'string'
  | 'uri'
  | 'url'

/** The name of a JSON member, or a condition on a member of the element reached so far. */
export type Step = string | { readonly where: string; readonly is: string }

/** Where a parameter finds values: an official expression compiled for one resource type. */
export interface ElementPath {
  readonly steps: readonly Step[]
  readonly datatype: Datatype
  /** The code systems that a `code` element has by its binding. */
  readonly systems?: readonly string[]
  /** `where(resolve() is T)`: only references to this type count. */
  readonly refersTo?: string
}

export type SearchType = 'token' | 'date' | 'string' | 'reference' | 'quantity' | 'uri'

/** A parameter that looks at single values. */
export interface SimpleParameter {
  readonly type: SearchType
  readonly paths: readonly ElementPath[]
  /** The types a reference may point to; absent when it may be any. */
  readonly targets?: readonly string[]
}

/** A parameter that looks at several values of the same element: `paths` lead to the element, components go on from there. */
export interface CompositeParameter {
  readonly type: 'composite'
  readonly paths: readonly ElementPath[]
  readonly components: readonly SimpleParameter[]
}

export type SearchParameter = SimpleParameter | CompositeParameter

/** The parameter of a resource type by its code; undefined when the table has none. */
export function searchParameter(type: string, code: string): SearchParameter | undefined {
  for (const name of [type, 'Resource']) {
    const rows = Object.hasOwn(searchParameters, name) ? searchParameters[name as SearchedType] : {}
    if (Object.hasOwn(rows, code)) return rows[code]
  }
  return undefined
}

/** Every code of the table for a resource type, those common to all types last. */
export function searchParameterCodes(type: string): string[] {
  const own = Object.hasOwn(searchParameters, type) ? Object.keys(searchParameters[type as SearchedType]) : []
  return [...own, ...Object.keys(searchParameters.Resource)]
}

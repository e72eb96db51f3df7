/** R4 comparison prefixes; `eq` is implied. */
export const prefixes = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'] as const
export type Prefix = (typeof prefixes)[number]

/** `code` and `system|code`; `|code` has the system '', `system|` has no code. */
export interface TokenValue {
  readonly kind: 'token'
  readonly system?: string
  readonly code?: string
}

/** `:of-type`: an identifier by the code of its type and its value. */
export interface TypedIdentifierValue {
  readonly kind: 'typed-identifier'
  readonly system: string
  readonly code: string
  readonly value: string
}

/** `:text`: the beginning of the text or display of a coded element. */
export interface TextValue {
  readonly kind: 'text'
  readonly text: string
}

/** `date` is an R4 date or dateTime of any precision. */
export interface DateValue {
  readonly kind: 'date'
  readonly prefix: Prefix
  readonly date: string
}

export interface StringValue {
  readonly kind: 'string'
  readonly match: 'start' | 'contains' | 'exact'
  readonly text: string
}

/** An id, `Type/id` or an absolute URL; `type` is the modifier's. */
export interface ReferenceValue {
  readonly kind: 'reference'
  readonly reference: string
  readonly type?: string
}

/** `:identifier`: the logical identifier of a reference. */
export interface ReferenceIdentifierValue {
  readonly kind: 'reference-identifier'
  readonly identifier: TokenValue
}

export interface CanonicalValue {
  readonly kind: 'canonical'
  readonly url: string
  readonly version?: string
}

/** `number` is a decimal as written, because its digits tell the precision. A unit without system has no `system`. */
export interface QuantityValue {
  readonly kind: 'quantity'
  readonly prefix: Prefix
  readonly number: string
  readonly system?: string
  readonly code?: string
}

export interface UriValue {
  readonly kind: 'uri'
  readonly match: 'exact' | 'above' | 'below'
  readonly uri: string
}

/** The values of a composite parameter's components, in their order. */
export interface CompositeValue {
  readonly kind: 'composite'
  readonly parts: readonly Value[]
}

export type Value =
  | TokenValue
  | TypedIdentifierValue
  | TextValue
  | DateValue
  | StringValue
  | ReferenceValue
  | ReferenceIdentifierValue
  | CanonicalValue
  | QuantityValue
  | UriValue
  | CompositeValue

/** What one parameter of a query asks for: that it has a value or none, or that one of several values is found (not found when negated). */
export type Criterion =
  | { readonly parameter: string; readonly missing: boolean }
  | { readonly parameter: string; readonly negated?: true; readonly values: readonly Value[] }

/** One query of a `_typeFilter`: every criterion must be met. Plain data, so that it can be kept as JSON. */
export interface Query {
  readonly type: string
  readonly criteria: readonly Criterion[]
}

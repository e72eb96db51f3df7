import type { Test } from './match/element.ts'

/** A question about a resource, of which the answer depends on some of its members only. */
export interface MemberTest {
  /** The members that it looks at; undefined when it may look at any. */
  readonly names: readonly string[] | undefined
  /** The only member of that one member at which it looks, such as `lastUpdated` of `meta`; only where that is an object. */
  readonly inner?: string
  /** Asks a parsed resource, or an object that has no other members of it than these. */
  readonly test: Test
}

/** What questions are asked about: it answers the question of an index. */
export interface Subject {
  readonly holds: (test: number) => boolean
}

/** What must be true of a subject. */
export type Expression = (subject: Subject) => boolean

export const not =
  (expression: Expression): Expression =>
  (subject) =>
    !expression(subject)

export function anyOf(expressions: readonly Expression[]): Expression {
  if (expressions.length === 1) return expressions[0]!
  return (subject) => expressions.some((expression) => expression(subject))
}

export function allOf(expressions: readonly Expression[]): Expression {
  if (expressions.length === 1) return expressions[0]!
  return (subject) => expressions.every((expression) => expression(subject))
}

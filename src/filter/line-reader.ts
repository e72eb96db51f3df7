import { NamedMembers } from '../fhir/json/named-members.ts'
import type { Expression, MemberTest, Subject } from './expression.ts'
import { KnownAnswers } from './known-answers.ts'

/** A member of a member, and whether it was found in the line of that number. */
interface InnerMember {
  readonly members: NamedMembers
  line: number
  isRead: boolean
}

/**
 * Decides about lines without parsing them: finds the members that are asked for, and parses of these only those about which the answer is
 * not known yet. The decision is the one about the parsed line.
 */
export class LineReader implements Subject {
  readonly #expression: Expression
  readonly #tests: readonly MemberTest[]
  readonly #names: readonly string[]
  readonly #members: NamedMembers
  /** By test the index of the only member that it looks at; -1 when there are several. */
  readonly #only: Int16Array
  /** By test the member in that one that it looks at alone. */
  readonly #inner: readonly (InnerMember | undefined)[]
  /** By test its answer about a resource without the member. */
  readonly #absent: readonly boolean[]
  readonly #known = new KnownAnswers()
  #lines: Buffer | undefined
  /** How many lines there have been, the one at hand too. */
  #line = 0
  /** Values that the line at hand was asked for, by where they begin. */
  readonly #values = new Map<number, unknown>()

  /** @param tests what the expression asks about, each with its names */
  constructor(expression: Expression, tests: readonly MemberTest[]) {
    this.#expression = expression
    this.#tests = tests
    this.#names = [...new Set(tests.flatMap(({ names }) => names!))]
    this.#members = new NamedMembers(this.#names)
    this.#only = Int16Array.from(tests, ({ names }) => (names!.length === 1 ? this.#names.indexOf(names![0]!) : -1))
    const inners = new Map<string, InnerMember>()
    this.#inner = tests.map(({ names, inner }) => {
      if (inner === undefined) return undefined
      const key = `${names![0]}.${inner}`
      const found = inners.get(key) ?? { members: new NamedMembers([inner]), line: 0, isRead: false }
      inners.set(key, found)
      return found
    })
    this.#absent = tests.map(({ test }) => test({}))
  }

  /**
   * @param lines in [start, end) the text of a stored record
   * @returns undefined for a line that is to be parsed
   */
  meets(lines: Buffer, start: number, end: number): boolean | undefined {
    if (!this.#members.find(lines, start, end)) return undefined
    this.#lines = lines
    this.#line++
    this.#values.clear()
    return this.#expression(this)
  }

  holds(index: number): boolean {
    const member = this.#only[index]!
    if (member < 0) return this.#asked(index)
    const { starts, ends } = this.#members
    const end = ends[member]!
    if (end === 0) return this.#absent[index]!
    const inner = this.#inner[index]
    if (inner === undefined || !this.#reads(inner, starts[member]!, end)) {
      return this.#answer(index, false, starts[member]!, end)
    }
    const [innerStart, innerEnd] = [inner.members.starts[0]!, inner.members.ends[0]!]
    return innerEnd === 0 ? this.#absent[index]! : this.#answer(index, true, innerStart, innerEnd)
  }

  /** Finds the inner member once for a line; false where it is to be looked for in the parsed value. */
  #reads(inner: InnerMember, start: number, end: number): boolean {
    if (inner.line !== this.#line) {
      inner.isRead = inner.members.find(this.#lines!, start, end)
      inner.line = this.#line
    }
    return inner.isRead
  }

  /** @param isInner whether the text in [start, end) is that of the inner member */
  #answer(index: number, isInner: boolean, start: number, end: number): boolean {
    const question = index * 2 + (isInner ? 1 : 0)
    const known = this.#known.of(question, this.#lines!, start, end)
    if (known !== undefined) return known
    const { names, inner, test } = this.#tests[index]!
    const value = this.#value(start, end)
    const answer = test({ [names![0]!]: isInner ? { [inner!]: value } : value })
    this.#known.keep(question, this.#lines!, start, end, answer)
    return answer
  }

  /** Asks an object with those of several members that the line has. */
  #asked(index: number): boolean {
    const { names, test } = this.#tests[index]!
    const { starts, ends } = this.#members
    const object: { [name: string]: unknown } = {}
    for (const name of names!) {
      const member = this.#names.indexOf(name)
      if (ends[member]! > 0) object[name] = this.#value(starts[member]!, ends[member]!)
    }
    return test(object)
  }

  #value(start: number, end: number): unknown {
    if (this.#values.has(start)) return this.#values.get(start)
    const value = parsed(this.#lines!, start, end)
    this.#values.set(start, value)
    return value
  }
}

const quote = 0x22
const backslash = 0x5c

/** The JSON in [start, end). Dates are mostly new, and plain strings. */
function parsed(lines: Buffer, start: number, end: number): unknown {
  if (lines[start] !== quote) return JSON.parse(lines.toString('utf8', start, end))
  for (let at = start + 1; at < end; at++) {
    if (lines[at] === backslash) return JSON.parse(lines.toString('utf8', start, end))
  }
  return lines.toString('utf8', start + 1, end - 1)
}

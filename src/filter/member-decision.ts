import type { Expression, MemberTest } from './expression.ts'

/**
 * @param name of a root member
 * @param text its JSON; '' where there is none
 */
export type MemberDecision = (name: string, text: string) => boolean | undefined

/** With so many tests of other members every way they could end is tried: this doubles with each. */
const openTestsMax = 4

/** Decisions that are remembered: most lines have one of few texts. */
const knownTextsMax = 1_000

/** Decides about lines by one member of theirs: whatever the others are, the expression says the same. */
export function memberDecision(expression: Expression, tests: readonly MemberTest[]): MemberDecision {
  const known = new Map<string, boolean | undefined>()
  return (name, text) => {
    const key = `${name} ${text}`
    if (known.has(key)) return known.get(key)
    const decision = decided(expression, tests, name, text)
    if (known.size < knownTextsMax) known.set(key, decision)
    return decision
  }
}

function decided(
  expression: Expression,
  tests: readonly MemberTest[],
  name: string,
  text: string,
): boolean | undefined {
  const object = text === '' ? {} : { [name]: JSON.parse(text) as unknown }
  const answers = tests.map(({ names, test }) => (names?.length === 1 && names[0] === name ? test(object) : undefined))
  const open = answers.flatMap((answer, index) => (answer === undefined ? [index] : []))
  if (open.length > openTestsMax) return undefined
  const holdsIn = (way: number) =>
    expression({ holds: (index) => answers[index] ?? ((way >> open.indexOf(index)) & 1) === 1 })
  const first = holdsIn(0)
  for (let way = 1; way < 1 << open.length; way++) if (holdsIn(way) !== first) return undefined
  return first
}

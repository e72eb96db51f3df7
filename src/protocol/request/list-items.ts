import { problem } from '../problem.ts'
import type { Profile } from '../profile.ts'
import type { Findings } from './findings.ts'
import type { ParameterEntry } from './parameters.ts'

/** Characters of a comma-delimited list; the 18 documented types take 220. */
export const listCharsMax = 2_000

/** The same where more is exported than that holds: all types that R4 has take 2,298. */
export const wideListCharsMax = 4_000

const charsMaxOf = ({ exportedTypes }: Profile): number =>
  exportedTypes.join().length > listCharsMax ? wideListCharsMax : listCharsMax

/** The items of the comma-delimited values of a parameter, trimmed; an empty item is a problem (S-25, T-33, T-35). */
export function listItems(
  entries: readonly ParameterEntry[],
  profile: Profile,
  findings: Findings,
): { item: string; at: string }[] {
  const charsMax = charsMaxOf(profile)
  return entries.flatMap(({ name, value, valueName, at }) => {
    const expression = `${at}.${valueName}`
    if (typeof value !== 'string') {
      findings.add(problem(400, 'structure', `The value of ${name} must be a JSON string.`, { expression }))
      return []
    }
    if (value.length > charsMax) {
      findings.add(
        problem(400, 'too-long', `The value of ${name} has more than ${charsMax} characters.`, { expression }),
      )
      return []
    }
    const items = value.split(',').map((item) => item.trim())
    if (!items.includes('')) return items.map((item) => ({ item, at: expression }))
    findings.add(problem(400, 'value', `The value of ${name} has an empty item.`, { expression }))
    return []
  })
}

import { problem } from '../problem.ts'
import type { Findings } from './findings.ts'
import type { ParameterEntry } from './parameters.ts'

/** Characters of a comma-delimited list; all types that R4 has take 2,298. */
const listCharsMax = 4_000

/** The items of the comma-delimited values of a parameter, trimmed; an empty item is a problem (S-25, T-33, T-35). */
export function listItems(entries: readonly ParameterEntry[], findings: Findings): { item: string; at: string }[] {
  return entries.flatMap(({ name, value, valueName, at }) => {
    const expression = `${at}.${valueName}`
    if (typeof value !== 'string') {
      findings.add(problem(400, 'structure', `The value of ${name} must be a JSON string.`, { expression }))
      return []
    }
    if (value.length > listCharsMax) {
      findings.add(
        problem(400, 'too-long', `The value of ${name} has more than ${listCharsMax} characters.`, { expression }),
      )
      return []
    }
    const items = value.split(',').map((item) => item.trim())
    if (!items.includes('')) return items.map((item) => ({ item, at: expression }))
    findings.add(problem(400, 'value', `The value of ${name} has an empty item.`, { expression }))
    return []
  })
}

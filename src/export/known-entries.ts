import { exportParameters } from './export-parameter.ts'
import type { Findings } from './findings.ts'
import { type ParameterEntry, quoted } from './parameters.ts'
import { problem } from './problem.ts'
import type { Profile } from './profile.ts'

/** The entries with documented names and rightly typed values; everything else is a problem or, when lenient, a warning. */
export function knownEntries(
  entries: readonly ParameterEntry[],
  profile: Profile,
  findings: Findings,
): ParameterEntry[] {
  const seen = new Set<string>()
  return entries.filter((entry) => {
    const expected = exportParameters.find(({ name }) => name === entry.name)?.valueName
    if (expected === undefined) {
      findings.unsupported(
        problem(400, 'not-supported', `The parameter ${quoted(entry.name)} is not supported.`, {
          diagnostics: `Supported: ${exportParameters.map(({ name }) => name).join(', ')}.`,
          expression: entry.at,
        }),
      )
      return false
    }
    if (entry.name !== 'patient' && seen.has(entry.name) && !mayRepeat(entry.name, profile)) {
      findings.add(
        problem(400, 'structure', `The parameter ${entry.name} may be given once.`, { expression: entry.at }),
      )
      return false
    }
    seen.add(entry.name)
    if (entry.valueName === expected) return true
    findings.add(
      problem(400, 'structure', `The value of ${entry.name} must be a ${expected}.`, {
        diagnostics: `Found ${quoted(entry.valueName)}.`,
        expression: `${entry.at}.${entry.valueName}`,
      }),
    )
    return false
  })
}

/** D7; `_since` and `_outputFormat` are 0..1 everywhere (T-119, T-123). */
const mayRepeat = (name: string, profile: Profile): boolean =>
  profile.repeatsAllowed && name !== '_since' && name !== '_outputFormat'

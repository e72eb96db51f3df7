import { quoted } from '../client-text.ts'
import { problem } from '../problem.ts'
import type { ExportLevel, Profile } from '../profile.ts'
import { exportParameters } from './export-parameter.ts'
import type { Findings } from './findings.ts'
import type { ParameterEntry } from './parameters.ts'

/** The entries with documented names and rightly typed values; everything else is a problem or, when lenient, a warning. */
export function knownEntries(
  entries: readonly ParameterEntry[],
  level: ExportLevel,
  profile: Profile,
  findings: Findings,
): ParameterEntry[] {
  const parameters = exportParameters(profile, level)
  const seen = new Set<string>()
  return entries.filter((entry) => {
    const expected = parameters.find(({ name }) => name === entry.name)
    if (expected === undefined) {
      refuseUnknown(entry, level, parameters, findings)
      return false
    }
    if (expected.max === 1 && seen.has(entry.name)) {
      findings.add(
        problem(400, 'structure', `The parameter ${entry.name} may be given once.`, { expression: entry.at }),
      )
      return false
    }
    seen.add(entry.name)
    if (entry.valueName === expected.valueName) return true
    findings.add(
      problem(400, 'structure', `The value of ${entry.name} must be a ${expected.valueName}.`, {
        diagnostics: `Found ${quoted(entry.valueName)}.`,
        expression: `${entry.at}.${entry.valueName}`,
      }),
    )
    return false
  })
}

/** A list of patients is never ignored, for that would hand out more than was asked for (O-4). */
function refuseUnknown(
  { name, at }: ParameterEntry,
  level: ExportLevel,
  parameters: readonly { readonly name: string }[],
  findings: Findings,
): void {
  if (name === 'patient') {
    const ofOne = level === 'instance' ? 'The URL says which patient.' : 'A system export takes no patient.'
    const text = level === 'group' ? 'The Group says which patients.' : ofOne
    findings.add(problem(400, 'not-supported', text, { expression: at }))
    return
  }
  findings.unsupported(
    problem(400, 'not-supported', `The parameter ${quoted(name)} is not supported.`, {
      diagnostics: `Supported: ${parameters.map((parameter) => parameter.name).join(', ')}.`,
      expression: at,
    }),
  )
}

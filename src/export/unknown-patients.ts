import { type Problem, problem } from './problem.ts'
import type { ExportRequest } from './request.ts'

/** O-9, T-28…T-30: patients that the tenant does not have are problems; lenient handling leaves them out with a warning each. */
export function withKnownPatients(
  request: ExportRequest,
  existing: ReadonlySet<string>,
): { readonly request: ExportRequest } | { readonly problems: readonly Problem[] } {
  const unknown = request.patients.filter((id) => !existing.has(id))
  if (unknown.length === 0) return { request }
  const problems = unknown.map((id) =>
    problem(400, 'not-found', 'A patient is not known.', {
      diagnostics: `Patient/${id}`,
      expression: 'Parameters.parameter',
    }),
  )
  if (!request.lenient) return { problems }
  const warnings = problems.map(({ status: _, ...issue }) => ({ ...issue, severity: 'warning' as const }))
  return {
    request: {
      ...request,
      patients: request.patients.filter((id) => existing.has(id)),
      warnings: [...request.warnings, ...warnings],
    },
  }
}

import type { Issue } from '../fhir/operation-outcome.ts'
import { type Problem, problem } from './problem.ts'
import type { ExportRequest } from './request.ts'

const text = 'A patient is not known.'
const expression = 'Parameters.parameter'

/** O-9, T-28: a problem for each patient that the tenant does not have. */
export function unknownPatients(request: ExportRequest, existing: ReadonlySet<string>): Problem[] {
  return missing(request, existing).map((id) =>
    problem(400, 'not-found', text, { diagnostics: `Patient/${id}`, expression }),
  )
}

/** The request without the patients that the tenant does not have, and a warning for each of them (T-29, T-30). */
export function withoutUnknownPatients(request: ExportRequest, existing: ReadonlySet<string>): ExportRequest {
  const warnings = missing(request, existing).map(
    (id): Issue => ({
      severity: 'warning',
      code: 'not-found',
      text,
      diagnostics: `Patient/${id}`,
      expression: [expression],
    }),
  )
  if (warnings.length === 0) return request
  const patients = request.patients.filter((id) => existing.has(id))
  return { ...request, patients, warnings: [...request.warnings, ...warnings] }
}

const missing = (request: ExportRequest, existing: ReadonlySet<string>): string[] =>
  request.patients.filter((id) => !existing.has(id))

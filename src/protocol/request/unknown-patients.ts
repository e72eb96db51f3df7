import type { Issue } from '../../fhir/operation-outcome.ts'
import { type Problem, problem } from '../problem.ts'
import type { ExportRequest } from './export-request.ts'

const expression = 'Parameters.parameter'

/** O-9, T-28: a problem for each patient that the tenant does not have. */
export function unknownPatients(request: ExportRequest, existing: ReadonlySet<string>): Problem[] {
  return missing(request, existing).map((id) =>
    problem(400, 'not-found', 'A patient is not known.', { diagnostics: `Patient/${id}`, expression }),
  )
}

/** The request without the patients that the tenant does not have, and a warning for each of them (T-29, T-30). */
export function withoutUnknownPatients(request: ExportRequest, existing: ReadonlySet<string>): ExportRequest {
  const warnings = missing(request, existing).map(
    (id): Issue => ({
      severity: 'warning',
      code: 'not-found',
      text: 'A patient is not known.',
      diagnostics: `Patient/${id}`,
      expression: [expression],
    }),
  )
  return without(request, existing, warnings)
}

/** §11.3: a problem for each listed patient who is no member of the Group. */
export function patientsOutside(request: ExportRequest, members: ReadonlySet<string>): Problem[] {
  return missing(request, members).map((id) =>
    problem(400, 'not-found', 'A patient is not a member of the Group.', { diagnostics: `Patient/${id}`, expression }),
  )
}

/** The request without the patients who are no members of the Group, and a warning for each of them. */
export function withoutPatientsOutside(request: ExportRequest, members: ReadonlySet<string>): ExportRequest {
  const warnings = missing(request, members).map(
    (id): Issue => ({
      severity: 'warning',
      code: 'not-found',
      text: 'A patient is not a member of the Group.',
      diagnostics: `Patient/${id}`,
      expression: [expression],
    }),
  )
  return without(request, members, warnings)
}

const missing = (request: ExportRequest, present: ReadonlySet<string>): string[] =>
  request.patients.filter((id) => !present.has(id))

function without(request: ExportRequest, present: ReadonlySet<string>, warnings: readonly Issue[]): ExportRequest {
  if (warnings.length === 0) return request
  const patients = request.patients.filter((id) => present.has(id))
  return { ...request, patients, warnings: [...request.warnings, ...warnings] }
}

import { type Problem, problem } from '../../protocol/problem.ts'
import type { Outcome } from '../../records/write/change.ts'

/** FHIR: 412 when the version that the client saw is not the current one. */
export const versionConflict = ({ version }: Pick<Outcome, 'version'>): Problem =>
  problem(412, 'conflict', 'The resource has changed since the version in If-Match.', {
    diagnostics: version === 0 ? 'It does not exist.' : `The current version is ${version}.`,
  })

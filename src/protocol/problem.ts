import type { Issue } from '../fhir/operation-outcome.ts'

/**
 * One thing wrong with a request: the HTTP status it asks for and the issue that explains it.
 * When a request has several problems the answer has the status of the first kind of check that failed (protocol §2.6).
 */
export interface Problem extends Issue {
  readonly status:
    | 400
    | 401
    | 403
    | 404
    | 405
    | 406
    | 408
    | 409
    | 410
    | 412
    | 413
    | 414
    | 415
    | 416
    | 417
    | 422
    | 429
    | 431
    | 500
    | 501
    | 503
}

/** Builds a problem of severity `error`. */
export function problem(
  status: Problem['status'],
  code: Problem['code'],
  text: string,
  more: { diagnostics?: string; expression?: string } = {},
): Problem {
  return {
    status,
    severity: 'error',
    code,
    text,
    ...(more.diagnostics === undefined ? {} : { diagnostics: more.diagnostics }),
    ...(more.expression === undefined ? {} : { expression: [more.expression] }),
  }
}

/** Severities of R4 `OperationOutcome.issue.severity`. */
type Severity = 'fatal' | 'error' | 'warning' | 'information'

/** The members of R4 IssueType that Millrace uses. */
export type IssueCode =
  | 'invalid'
  | 'structure'
  | 'required'
  | 'value'
  | 'invariant'
  | 'security'
  | 'login'
  | 'unknown'
  | 'expired'
  | 'forbidden'
  | 'suppressed'
  | 'processing'
  | 'not-supported'
  | 'duplicate'
  | 'multiple-matches'
  | 'not-found'
  | 'deleted'
  | 'too-long'
  | 'code-invalid'
  | 'extension'
  | 'business-rule'
  | 'conflict'
  | 'transient'
  | 'exception'
  | 'timeout'
  | 'incomplete'
  | 'throttled'
  | 'informational'

/** One issue of an OperationOutcome. `expression` holds FHIRPath locations. */
export interface Issue {
  readonly severity: Severity
  readonly code: IssueCode
  /** Stable human text: `details.text`. */
  readonly text: string
  /** The specifics of this occurrence. */
  readonly diagnostics?: string
  readonly expression?: readonly string[]
}

/** The R4 resource as it is sent. */
export interface OperationOutcome {
  readonly resourceType: 'OperationOutcome'
  readonly issue: readonly {
    readonly severity: Severity
    readonly code: IssueCode
    readonly details: { readonly text: string }
    readonly diagnostics?: string
    readonly expression?: readonly string[]
  }[]
}

/** Renders issues as the R4 resource. */
export function operationOutcome(issues: readonly Issue[]): OperationOutcome {
  return {
    resourceType: 'OperationOutcome',
    issue: issues.map(({ text, ...rest }) => ({
      severity: rest.severity,
      code: rest.code,
      details: { text },
      ...(rest.diagnostics === undefined ? {} : { diagnostics: rest.diagnostics }),
      ...(rest.expression === undefined ? {} : { expression: rest.expression }),
    })),
  }
}

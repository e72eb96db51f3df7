/** An OAuth refusal (RFC 6749 §5.2): `status` is the HTTP status, `challenge` and `retryAfter` are headers, the rest the JSON body. */
export interface OAuthError {
  readonly status: 400 | 401 | 405 | 413 | 429 | 503
  readonly error:
    | 'invalid_request'
    | 'invalid_client'
    | 'unsupported_grant_type'
    | 'invalid_scope'
    | 'temporarily_unavailable'
  readonly error_description: string
  /** `WWW-Authenticate`. */
  readonly challenge?: string
  /** Seconds. */
  readonly retryAfter?: number
}

const descriptionCharsMax = 500

/** Builds a refusal. Oracle answers 401 to a client that fails to authenticate, 400 to the rest (B13). */
export function oauthError(
  error: OAuthError['error'],
  description: string,
  more: Partial<Pick<OAuthError, 'status' | 'challenge' | 'retryAfter'>> = {},
): OAuthError {
  return {
    status: error === 'invalid_client' ? 401 : 400,
    error,
    // The characters that RFC 6749 §5.2 allows: the text may quote the request.
    error_description: description.slice(0, descriptionCharsMax).replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?'),
    ...more,
  }
}

/** Asks the caller to come again. RFC 6749 has no word for it at the token endpoint; this is the one of its §4.1.2.1. */
export const comeAgain = (status: 429 | 503, seconds: number, description: string): OAuthError =>
  oauthError('temporarily_unavailable', description, { status, retryAfter: seconds })

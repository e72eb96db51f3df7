/** The code of a system or PostgreSQL error (`ENOENT`, `57P03`), or undefined. Looks into the errors of an AggregateError. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return error instanceof AggregateError ? errorCode(error.errors[0]) : undefined
}

/** One line that says what went wrong, for an operator. PostgreSQL's messages name tables; their details, which may hold values, are left out. */
export function errorReason(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error) ?? String(error)
  if (error instanceof AggregateError && error.errors.length > 0) return errorReason(error.errors[0])
  return error.message || errorCode(error) || error.name
}

/** The queue hands on copies of errors that are no Errors any more. */
const messageOf = (error: unknown): string | undefined => {
  const { message } = (error ?? {}) as { message?: unknown }
  return typeof message === 'string' ? message : undefined
}

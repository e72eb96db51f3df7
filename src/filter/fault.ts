/** What is wrong, as a clause that a message goes on with, and what is allowed instead. */
export interface Fault {
  readonly fault: string
  readonly allowed: string
  /** The issue code, when it is not `value`. */
  readonly code?: 'code-invalid' | 'not-supported' | 'value'
}

export const isFault = (value: object): value is Fault => 'fault' in value

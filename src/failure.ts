/**
 * A failure the operator can do something about: what happened, and what to do next.
 * The command line prints both and exits with `exitCode`; it never shows a stack for it.
 */
export class Failure extends Error {
  readonly advice: string
  readonly exitCode: number

  constructor(message: string, advice: string, options: { cause?: unknown; exitCode?: number } = {}) {
    super(message, { cause: options.cause })
    this.name = 'Failure'
    this.advice = advice
    this.exitCode = options.exitCode ?? 1
  }
}

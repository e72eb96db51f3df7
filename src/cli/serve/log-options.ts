import pino, { type Logger } from 'pino'
import { Failure } from '../../failure.ts'
import { readableLine } from './readable-line.ts'

type Environment = Readonly<Record<string, string | undefined>>

export const logLevelsOffered = ['debug', 'info', 'warn', 'error'] as const
export const logFormatsOffered = ['json', 'text'] as const
type LogLevel = (typeof logLevelsOffered)[number]
type LogFormat = (typeof logFormatsOffered)[number]

/** Flags of the command line about the log. */
export interface LogFlags {
  readonly logLevel?: LogLevel
  readonly logFormat?: LogFormat
  /** False when `--no-access-log` is said. */
  readonly accessLog?: boolean
}

/** What of the log is wanted. */
export interface Logging {
  readonly level: LogLevel
  readonly format: LogFormat
  /** A line for each answer. */
  readonly access: boolean
}

/**
 * Flags before `MILLRACE_LOG_LEVEL`, `MILLRACE_LOG_FORMAT` and `MILLRACE_ACCESS_LOG`.
 * @param isTerminal whether a person reads: then lines are text, unless something else is said
 * @throws Failure for a word that is none of these
 */
export function readLogging(flags: LogFlags, environment: Environment, isTerminal: boolean): Logging {
  const format = flags.logFormat ?? oneOf(environment, 'MILLRACE_LOG_FORMAT', logFormatsOffered)
  return {
    level: flags.logLevel ?? oneOf(environment, 'MILLRACE_LOG_LEVEL', logLevelsOffered) ?? 'info',
    format: format ?? (isTerminal ? 'text' : 'json'),
    access: flags.accessLog === false ? false : oneOf(environment, 'MILLRACE_ACCESS_LOG', ['on', 'off']) !== 'off',
  }
}

function oneOf<Word extends string>(environment: Environment, name: string, words: readonly Word[]): Word | undefined {
  const text = environment[name]
  if (!text) return undefined
  const found = words.find((word) => word === text)
  if (found === undefined) throw new Failure(`${name} is ${JSON.stringify(text)}.`, `Set it to ${words.join(' or ')}.`)
  return found
}

/** A log on standard output. */
export function openLog({ level, format }: Logging): Logger {
  const options = { base: null, level, timestamp: pino.stdTimeFunctions.isoTime }
  if (format === 'json') return pino(options)
  return pino(options, { write: (line: string) => process.stdout.write(readableLine(line)) })
}

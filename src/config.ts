import { resolve } from 'node:path'
import { Failure } from './failure.ts'

/** Where the database is: a directory with an embedded PostgreSQL, or the URL of one that somebody else runs. */
export type Store =
  | { readonly kind: 'embedded'; readonly directory: string }
  | { readonly kind: 'external'; readonly url: string }

/** Flags of the command line that name the store. */
export interface StoreFlags {
  readonly data?: string
  readonly databaseUrl?: string
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The store of a command: flags before environment, `MILLRACE_DATABASE_URL` and `MILLRACE_DATA`, else `./millrace-data`.
 * @throws Failure when both a directory and a URL are named on the same level, or the URL is not PostgreSQL's.
 */
export function readStore(flags: StoreFlags, environment: Environment): Store {
  if (flags.data !== undefined && flags.databaseUrl !== undefined) {
    throw new Failure('Both --data and --database-url were given.', 'Give one of them.')
  }
  if (flags.data !== undefined) return { kind: 'embedded', directory: resolve(flags.data) }
  if (flags.databaseUrl !== undefined) return external(flags.databaseUrl, '--database-url')
  const { MILLRACE_DATA: directory, MILLRACE_DATABASE_URL: url } = environment
  if (directory && url) {
    throw new Failure('Both MILLRACE_DATA and MILLRACE_DATABASE_URL are set.', 'Set one of them, or use a flag.')
  }
  if (url) return external(url, 'MILLRACE_DATABASE_URL')
  return { kind: 'embedded', directory: resolve(directory || 'millrace-data') }
}

function external(url: string, source: string): Store {
  if (!/^postgres(ql)?:\/\//.test(url)) {
    throw new Failure(
      `${source} is not a PostgreSQL URL.`,
      'Write it as postgresql://user:password@host:5432/database.',
    )
  }
  return { kind: 'external', url }
}

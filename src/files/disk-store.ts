import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { DiskFloor } from './disk-floor.ts'
import { DamagedFile, type FileStore } from './file-store.ts'
import { FlushedFile } from './flushed-file.ts'

const pathPattern = /^[0-9a-f-]{36}\/\d+-\d+\/[A-Za-z]+-\d+\.ndjson\.gz$/
const attemptPattern = /^[0-9a-f-]{36}\/\d+-\d+$/
const jobPattern = /^[0-9a-f-]{36}$/

/** A worker may add files to a folder that is being removed, until it learns that nobody wants them: then it is removed again. */
const removeRetriesMax = 5
const removal = { recursive: true, force: true, maxRetries: removeRetriesMax }

/** Whether a file can be made in a directory and written, and removed again. */
async function isWritable(directory: string): Promise<boolean> {
  const file = join(directory, `.writable-${randomUUID()}`)
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await writeFile(file, '.', { flag: 'wx', mode: 0o600 })
    return true
  } catch {
    return false
  } finally {
    await rm(file, { force: true }).catch(() => {})
  }
}

/** The partition and the attempt that a folder is of. */
const numbersOf = (folder: string): [number, number] => folder.split('-').map(Number) as [number, number]

/** @throws DamagedFile */
async function openWhole(path: string, size: number): Promise<FileHandle> {
  const handle = await open(path, 'r').catch((error) => {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? new DamagedFile('it is not there', { cause: error })
      : error
  })
  try {
    const found = await handle.stat()
    if (found.size !== size) throw new DamagedFile(`it has ${found.size} bytes and not ${size}`)
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * Keeps files in a directory that only the service user can read.
 * @param floor what must stay free of the disk; without it files may fill it
 */
export function diskStore(directory: string, floor?: DiskFloor): FileStore {
  const insist = async () => floor?.insist()
  const located = (path: string): string => {
    if (!pathPattern.test(path)) throw new Error('not a path of the file store')
    return join(directory, path)
  }
  const folderOf = (job: string): string => {
    if (!jobPattern.test(job)) throw new Error('not a job id')
    return join(directory, job)
  }
  return {
    lacksRoom: async () => (await floor?.isShort()) ?? false,
    isWritable: () => isWritable(directory),
    create: async (path) => {
      const file = located(path)
      await insist()
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      const handle = await open(file, 'wx', 0o600)
      return new FlushedFile(handle, insist)
    },
    read: async (path, size, range) => {
      const handle = await openWhole(located(path), size)
      return handle.createReadStream({ ...range, highWaterMark: 256 * 1024 })
    },
    removeAttempt: async (folder) => {
      if (!attemptPattern.test(folder)) throw new Error('not a folder of the file store')
      await rm(join(directory, folder), removal)
    },
    keepOnly: async (job, paths) => {
      const kept = new Map(paths.map((path) => numbersOf(basename(dirname(path)))))
      const attempts = await readdir(folderOf(job)).catch(() => [])
      const left = attempts.filter((folder) => {
        const [partition, attempt] = numbersOf(folder)
        return attempt < (kept.get(partition) ?? Number.POSITIVE_INFINITY)
      })
      await Promise.all(left.map((attempt) => rm(join(folderOf(job), attempt), removal)))
    },
    jobs: async () => {
      const names = await readdir(directory).catch(() => [])
      return names.filter((name) => jobPattern.test(name))
    },
    removeJob: (job) => rm(folderOf(job), removal),
  }
}

import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CheckedFiles, identityOf, piecesOf } from './checked-files.ts'
import type { DiskFloor } from './disk-floor.ts'
import { attemptFolder, comparedWith, filePath, isJobFolder, jobFolder } from './file-path.ts'
import { DamagedFile, type FileStore } from './file-store.ts'
import { FlushedFile } from './flushed-file.ts'

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
  const checked = new CheckedFiles()
  const insist = async () => floor?.insist()
  const located = (path: string): string => join(directory, filePath(path))
  const folderOf = (job: string): string => join(directory, jobFolder(job))
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
    read: async (path, { size, crc }, range) => {
      const handle = await openWhole(located(path), size)
      try {
        if (range && crc !== null) await checked.insist(path, await identityOf(handle), crc, () => piecesOf(handle))
      } catch (error) {
        await handle.close()
        throw error
      }
      return handle.createReadStream({ ...range, highWaterMark: 256 * 1024 })
    },
    removeAttempt: async (folder) => {
      await rm(join(directory, attemptFolder(folder)), removal)
    },
    keepOnly: async (job, paths) => {
      const attempts = await readdir(folderOf(job)).catch(() => [])
      const placeOf = comparedWith(paths)
      const left = attempts.filter((folder) => placeOf(folder) === 'before')
      await Promise.all(left.map((attempt) => rm(join(folderOf(job), attempt), removal)))
    },
    jobs: async () => {
      const names = await readdir(directory).catch(() => [])
      return names.filter(isJobFolder)
    },
    removeJob: (job) => rm(folderOf(job), removal),
  }
}

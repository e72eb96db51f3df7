import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CheckedFiles } from './checked-files.ts'
import type { DiskFloor } from './disk-floor.ts'
import { DamagedFile, type FileStore } from './file-store.ts'
import { FlushedFile } from './flushed-file.ts'

const pathPattern = /^[0-9a-f-]{36}\/\d+-\d+\/[A-Za-z]+-\d+\.ndjson\.gz$/
const attemptPattern = /^[0-9a-f-]{36}\/\d+-\d+$/
const jobPattern = /^[0-9a-f-]{36}$/

/** A worker may add files to a folder that is being removed, until it learns that nobody wants them: then it is removed again. */
const removeRetriesMax = 5
const removal = { recursive: true, force: true, maxRetries: removeRetriesMax }

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
  const checked = new CheckedFiles()
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
        if (range && crc !== null) await checked.insist(handle, path, crc)
      } catch (error) {
        await handle.close()
        throw error
      }
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

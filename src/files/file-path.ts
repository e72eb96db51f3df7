import { basename, dirname } from 'node:path'

/** Paths of the store of files, wherever it lies: `{job}/{partition}-{attempt}/{Type}-{n}.ndjson.gz`. */
const pathPattern = /^[0-9a-f-]{36}\/\d+-\d+\/[A-Za-z]+-\d+\.ndjson\.gz$/
const attemptPattern = /^[0-9a-f-]{36}\/\d+-\d+$/
const jobPattern = /^[0-9a-f-]{36}$/

export const isJobFolder = (name: string): boolean => jobPattern.test(name)

/** What is not made by the program itself never becomes a path. */
export function filePath(path: string): string {
  if (!pathPattern.test(path)) throw new Error('not a path of the file store')
  return path
}

export function attemptFolder(folder: string): string {
  if (!attemptPattern.test(folder)) throw new Error('not a folder of the file store')
  return folder
}

export function jobFolder(job: string): string {
  if (!isJobFolder(job)) throw new Error('not a job id')
  return job
}

/** The partition and the attempt that a folder is of. */
const numbersOf = (folder: string): [number, number] => folder.split('-').map(Number) as [number, number]

/** Tells of folders, by their names `{partition}-{attempt}`, whether they are of an attempt before or after that of the files that are kept. */
export function comparedWith(keptPaths: readonly string[]): (folder: string) => 'before' | 'same' | 'after' {
  const kept = new Map(keptPaths.map((path) => numbersOf(basename(dirname(path)))))
  return (folder) => {
    const [partition, attempt] = numbersOf(folder)
    const other = kept.get(partition) ?? Number.POSITIVE_INFINITY
    return attempt < other ? 'before' : attempt === other ? 'same' : 'after'
  }
}

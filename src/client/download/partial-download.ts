import { createWriteStream, type WriteStream } from 'node:fs'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { isObject } from '../session/outcome.ts'

export type Coding = 'gzip' | 'identity'

/** The representation that a partial file is a beginning of: only more of the same may be added to it. */
export interface Representation {
  readonly coding: Coding
  /** A strong ETag; undefined when the server gives none, and the download cannot be continued. */
  readonly etag: string | undefined
  /** Its whole size in bytes as sent, where known. */
  readonly bytes: number | undefined
}

/** A partly downloaded file: the bytes as they were sent in `<name>.part`, what they are of in `<name>.part.json`. */
export interface Part {
  readonly path: string
  readonly have: number
  readonly of: Representation | undefined
}

/** What is there of a part, from this run or an earlier one that was killed. */
export async function findPart(path: string): Promise<Part> {
  const of = await readRepresentation(path)
  const have = of
    ? await stat(path).then(
        (found) => found.size,
        () => 0,
      )
    : 0
  return { path, have, of }
}

/** Begins a part anew. The old bytes go first: a label never stands beside bytes it does not describe. */
export async function beginPart(path: string, of: Representation): Promise<WriteStream> {
  await dropPart(path)
  await writeFile(labelOf(path), JSON.stringify(of), { mode: 0o600 })
  return createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true })
}

/** Goes on at the end of a part. */
export const continuePart = (path: string): WriteStream =>
  createWriteStream(path, { flags: 'a', mode: 0o600, flush: true })

export async function dropPart(path: string): Promise<void> {
  await rm(path, { force: true })
  await rm(labelOf(path), { force: true })
}

/** Removes the label when the part has become a whole file. */
export const dropLabel = (path: string): Promise<void> => rm(labelOf(path), { force: true })

const labelOf = (path: string): string => `${path}.json`

async function readRepresentation(path: string): Promise<Representation | undefined> {
  try {
    const label: unknown = JSON.parse(await readFile(labelOf(path), 'utf8'))
    if (!isObject(label) || (label.coding !== 'gzip' && label.coding !== 'identity')) return undefined
    return {
      coding: label.coding,
      etag: typeof label.etag === 'string' ? label.etag : undefined,
      bytes: typeof label.bytes === 'number' ? label.bytes : undefined,
    }
  } catch {
    return undefined
  }
}

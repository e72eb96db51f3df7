import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Failure } from '../../failure.ts'

/** One file to load. `bytes` is its size on disk. */
export interface SourceFile {
  readonly path: string
  readonly kind: 'ndjson' | 'json'
  readonly gzip: boolean
  readonly bytes: number
}

const filePattern = /\.(ndjson|jsonl|json)(\.gz)?$/i

/**
 * The files under the paths: files as named, folders with all they hold. Provenance comes last, so that the records it is about
 * are there already.
 * @throws Failure for a path that does not exist, or that is neither NDJSON nor JSON
 */
export async function findSourceFiles(paths: readonly string[]): Promise<SourceFile[]> {
  const files = (await Promise.all(paths.map(filesUnder))).flat()
  if (files.length === 0) {
    throw new Failure('There is nothing to load.', 'Name files or folders with .ndjson, .ndjson.gz, .json or .json.gz.')
  }
  const isProvenance = (file: SourceFile) => Number(basename(file.path).startsWith('Provenance'))
  return files.sort((a, b) => isProvenance(a) - isProvenance(b))
}

async function filesUnder(path: string): Promise<SourceFile[]> {
  const info = await stat(path).catch((cause) => {
    throw new Failure(`${path} cannot be read.`, 'Check the path and its permissions.', { cause })
  })
  if (info.isDirectory()) {
    const entries = await readdir(path, { recursive: true, withFileTypes: true })
    const names = entries.filter((entry) => entry.isFile() && filePattern.test(entry.name))
    return (await Promise.all(names.map((entry) => filesUnder(join(entry.parentPath, entry.name))))).flat()
  }
  const match = filePattern.exec(path)
  if (!match) {
    throw new Failure(
      `${path} is not a file Millrace can load.`,
      'Its name must end in .ndjson or .json, or one of them with .gz.',
    )
  }
  return [
    {
      path,
      kind: match[1]!.toLowerCase() === 'json' ? 'json' : 'ndjson',
      gzip: match[2] !== undefined,
      bytes: info.size,
    },
  ]
}

/** Opens a file's bytes, gunzipped. `onBytes` is told the bytes read from disk, for progress. */
export function openSourceFile(file: SourceFile, onBytes: (bytes: number) => void): Readable {
  const raw = createReadStream(file.path, { highWaterMark: 256 * 1024 })
  raw.on('data', (chunk) => onBytes(chunk.length))
  if (!file.gzip) return raw
  const plain = createGunzip({ chunkSize: 256 * 1024 })
  raw.on('error', (error) => plain.destroy(error))
  plain.on('close', () => raw.destroy())
  return raw.pipe(plain)
}

import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Failure } from '../../../failure.ts'
import { type Listed, ShortList } from '../short-list.ts'

/** One file to load. `bytes` is its size on disk, 0 where it has none. */
export interface SourceFile {
  readonly path: string
  readonly bytes: number
  /** What the name says; undefined where only the content can say what it is. */
  readonly ending: 'ndjson' | 'json' | undefined
  /** Whether the operator has named it. One that was found in a folder is passed over if it cannot be loaded by its kind. */
  readonly named: boolean
}

/** What lies under the paths of a load. */
export interface FoundFiles {
  readonly files: readonly SourceFile[]
  /** Files of folders whose names say that they are something else. */
  readonly passedOver: Listed<string>
  /** What cannot be looked at: broken links, folders without permission. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[]
}

/** The name of standard input on the command line. */
export const standardInput = '-'

/** Files that are passed over and named; the rest are counted. */
export const passedOverListedMax = 100

const knownPattern = /\.(ndjson|jsonl|json)(?:\.\d+)?(?:\.gz)?(?:\.\d+)?$/i
/** `.gz` alone says nothing about what is inside, and a number is no ending. */
const otherPattern = /\.(?!gz$)[a-z]\w*$/i

/**
 * The files under the paths: files as named, folders with all they hold, links followed. Of one folder Provenance comes last, so that
 * the records it is about are there already.
 * @throws Failure for a path that does not exist, and when there is nothing at all
 */
export async function findSourceFiles(paths: readonly string[]): Promise<FoundFiles> {
  const search = new Search()
  for (const path of paths) await search.path(path)
  if (search.files.length === 0 && search.unreadable.length === 0) {
    throw new Failure('There is nothing to load.', 'Name files or folders with NDJSON or JSON, gzipped or not.')
  }
  return { files: search.files, passedOver: search.passedOver.listed(), unreadable: search.unreadable }
}

class Search {
  readonly files: SourceFile[] = []
  readonly passedOver = new ShortList<string>(passedOverListedMax)
  readonly unreadable: { readonly path: string; readonly reason: string }[] = []
  /** Folders by their true paths: a link may lead to one that was searched, or is being searched. */
  readonly #visited = new Set<string>()

  async path(path: string): Promise<void> {
    if (path === standardInput) {
      this.files.push({ path, bytes: 0, ending: undefined, named: true })
      return
    }
    const info = await stat(path).catch((cause) => {
      throw new Failure(`${path} cannot be read.`, 'Check the path and its permissions.', { cause })
    })
    if (info.isDirectory()) return this.#folder(path)
    this.files.push({ path, bytes: info.size, ending: endingOf(path), named: true })
  }

  async #folder(path: string): Promise<void> {
    const entries = await this.#entriesOf(path)
    entries.sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1))
    for (const { name } of entries) await this.#entry(join(path, name))
  }

  async #entriesOf(path: string): Promise<Dirent[]> {
    try {
      const place = await realpath(path)
      if (this.#visited.has(place)) return []
      this.#visited.add(place)
      return await readdir(path, { withFileTypes: true })
    } catch (error) {
      this.unreadable.push({ path, reason: reasonOf(error) })
      return []
    }
  }

  async #entry(path: string): Promise<void> {
    const info = await stat(path).catch((error: unknown) => reasonOf(error))
    if (typeof info === 'string') this.unreadable.push({ path, reason: info })
    else if (info.isDirectory()) await this.#folder(path)
    else if (!info.isFile() || isOther(path)) this.passedOver.add(path)
    else this.files.push({ path, bytes: info.size, ending: endingOf(path), named: false })
  }
}

const rank = (name: string): number => Number(name.startsWith('Provenance'))

function endingOf(path: string): SourceFile['ending'] {
  const match = knownPattern.exec(path)
  return match ? (match[1]!.toLowerCase() === 'json' ? 'json' : 'ndjson') : undefined
}

const isOther = (path: string): boolean => !knownPattern.test(path) && otherPattern.test(basename(path))

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'a link that leads nowhere'
  if (code === 'ELOOP') return 'a link that leads to itself'
  return `cannot be read (${code})`
}

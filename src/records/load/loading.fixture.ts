import { randomUUID } from 'node:crypto'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import type { OnWritten } from './batch-writer.ts'
import { type LoadOptions, load } from './load.ts'
import type { LoadFault, LoadSummary } from './load-tally.ts'
import { findSourceFiles } from './source/source-files.ts'

/** Contents of files by their names: texts as they are, others as JSON; a list is lines. */
export type Sources = Readonly<Record<string, string | Buffer | object>>

/** A record as it stands. */
export interface Stored {
  readonly owner: string
  readonly version: number
  readonly body: string
  readonly updated: string
}

/** What a load said. */
export interface Loaded extends LoadSummary {
  readonly faults: readonly string[]
  /** Records that were written as rows, without drafts of them. */
  readonly asRows: number
}

/** A store to load into, with a tenant for each test. */
export class LoadingStore {
  readonly database: TestStore

  private constructor(database: TestStore) {
    this.database = database
  }

  static async open(): Promise<LoadingStore> {
    return new LoadingStore(await openTestStore())
  }

  close(): Promise<void> {
    return this.database.close()
  }

  /** Loads files of these contents, in this order, into a tenant. */
  async load(tenant: string, sources: Sources, options: Partial<LoadOptions> = {}): Promise<Loaded> {
    const folder = await mkdtemp(join(this.database.directory, 'source-'))
    const paths = await Promise.all(
      Object.entries(sources).map(async ([name, content]) => {
        await writeFile(join(folder, name), bytesOf(content))
        return join(folder, name)
      }),
    )
    const { files } = await findSourceFiles(paths)
    const faults: LoadFault[] = []
    let asRows = 0
    const onWritten: OnWritten = async ({ starts, bytes }, release) => {
      asRows += starts.length
      // Who looks at it afterwards notices.
      bytes.fill(0)
      release()
    }
    const report = {
      onBytes: () => {},
      onBatch: () => {},
      onFault: (fault: LoadFault) => faults.push(fault),
      onWritten,
    }
    const whole = { bases: [ownBase], keepLastUpdated: false, ...options }
    const summary = await load(this.database.pool, tenant, files, whole, report)
    const place = ({ file, place: at }: LoadFault) => [file.slice(folder.length + 1), at].filter(Boolean).join(', ')
    return { ...summary, asRows, faults: faults.map((fault) => `${place(fault)}: ${fault.reason}`) }
  }

  /** The current records of a tenant by `Type/id`. */
  async current(tenant: string): Promise<Map<string, Stored>> {
    const { rows } = await this.database.pool.query(
      `select type || '/' || id as key, owner, version, body, updated from record
       where tenant = $1 and lead and superseded = 'infinity' and not deleted order by type, id`,
      [tenant],
    )
    return new Map(
      rows.map(({ key, owner, version, body, updated }) => [
        key,
        { owner, version, body, updated: updated.toISOString() },
      ]),
    )
  }

  /** Whose all current records of a tenant are, and what they refer to: all rows of the store, but for texts and times. */
  async rows(tenant: string): Promise<readonly object[]> {
    const sql = `select type, id, owner, version, lead, shared, refs, targets, digest from record
      where tenant = $1 and superseded = 'infinity' order by type, id, owner`
    return (await this.database.pool.query(sql, [tenant])).rows
  }
}

/** The FHIR base of the tenants. */
const ownBase = 'https://millrace.example.org/r4/t'

/** A tenant of its own for a test. */
export const newTenant = (): string => `t-${randomUUID()}`

/** A Bundle of these entries. */
export const bundleOf = (type: string, ...entry: object[]): object => ({ resourceType: 'Bundle', type, entry })

function bytesOf(content: string | Buffer | object): string | Buffer {
  if (typeof content === 'string' || Buffer.isBuffer(content)) return content
  if (Array.isArray(content)) return content.map((line) => `${JSON.stringify(line)}\n`).join('')
  return JSON.stringify(content, null, 1)
}

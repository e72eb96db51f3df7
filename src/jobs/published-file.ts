import type { ClientBase, Pool } from 'pg'
import type { ListedFile } from '../protocol/answer/manifest.ts'
import { joinParts } from '../protocol/plan/joined-parts.ts'
import type { Job } from './job.ts'
import { type Part, partColumns } from './part.ts'

/** A part as it is stored now. */
export interface StoredPart extends Part {
  readonly partition: number
  /** How often it was made again. */
  readonly edition: number
  /** It is to be made again. */
  readonly damaged: boolean
}

/** A file together with whose it is: one part, or several that are put together as it is sent. */
export interface OwnedFile {
  readonly id: string
  readonly kind: Part['kind']
  readonly type: string
  readonly parts: readonly StoredPart[]
  readonly job: string
  readonly tenant: string
  readonly client: string
  readonly expires: Date
  readonly request: Job['request']
}

type FiledPart = Part & { readonly file: string | null }

const inOrder = 'type, partition, number'

/** Notes which parts of a job are put together in files. Its parts do not change any more: they are only made again. */
export async function joinFiles(client: ClientBase, job: string): Promise<void> {
  const { rows } = await client.query<Part>(`select ${partColumns} from part where job = $1 order by ${inOrder}`, [job])
  const joined = joinParts(rows).filter((parts) => parts.length > 1)
  const files = joined.flatMap((parts) => parts.map(({ id }) => ({ id, file: parts[0]!.id })))
  if (files.length === 0) return
  await client.query(
    'update part set file = joined.file from unnest($1::uuid[], $2::uuid[]) as joined(id, file) where part.id = joined.id',
    [files.map(({ id }) => id), files.map(({ file }) => file)],
  )
}

/** The files of a job, by type and then in the order of its partitions. */
export async function jobFiles(pool: Pool, job: string): Promise<ListedFile[]> {
  const sql = `select ${partColumns}, file from part where job = $1 order by ${inOrder}`
  const { rows } = await pool.query<FiledPart>(sql, [job])
  const files = new Map<string, ListedFile>()
  for (const { id, file, kind, type, records, continues } of rows) {
    const before = files.get(file ?? id)
    files.set(file ?? id, { id: file ?? id, kind, type, records: records + (before?.records ?? 0), continues })
  }
  return [...files.values()]
}

/** A file of a completed job that has not expired. */
export async function findFile(pool: Pool, id: string): Promise<OwnedFile | undefined> {
  const { rows } = await pool.query<StoredPart & Omit<OwnedFile, 'parts'>>(
    `select ${partColumns}, partition, edition, damaged, job.id as job, tenant, client, expires, request
     from part join job on job.id = part.job
     where (file = $1 or (part.id = $1 and file is null)) and job.state = 'completed' and job.expires > now()
     order by partition, number`,
    [id],
  )
  const [first] = rows
  if (first === undefined) return undefined
  const { kind, type, job, tenant, client, expires, request } = first
  return { id, kind, type, parts: rows, job, tenant, client, expires, request }
}

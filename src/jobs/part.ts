import type { ClientBase, Pool } from 'pg'

/** One published file. `path` is its name in the file store; bytes before and after gzip. */
export interface Part {
  readonly id: string
  readonly kind: 'output' | 'error'
  readonly type: string
  readonly path: string
  readonly records: number
  readonly bytes: number
  readonly gzipBytes: number
}

/** Publishes the files of a finished partition. */
export async function insertParts(
  client: ClientBase,
  job: string,
  partition: number,
  parts: readonly Part[],
): Promise<void> {
  for (const [number, part] of parts.entries()) {
    await client.query(
      `insert into part (id, job, partition, number, kind, type, path, records, bytes, gzip_bytes)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [part.id, job, partition, number, part.kind, part.type, part.path, part.records, part.bytes, part.gzipBytes],
    )
  }
}

const columns = `id, kind, type, path, records::float8 as records, bytes::float8 as bytes, gzip_bytes::float8 as "gzipBytes"`

/** The files of a job, by type and then in the order of its partitions. */
export async function jobParts(pool: Pool, job: string): Promise<Part[]> {
  return (await pool.query<Part>(`select ${columns} from part where job = $1 order by type, partition, number`, [job]))
    .rows
}

/** A file together with whose it is. */
export interface OwnedPart extends Part {
  readonly job: string
  readonly tenant: string
  readonly client: string
  readonly expires: Date
}

/** A file of a completed job that has not expired. */
export async function findPart(pool: Pool, id: string): Promise<OwnedPart | undefined> {
  const { rows } = await pool.query<OwnedPart>(
    `select part.id, kind, type, path, records::float8 as records, bytes::float8 as bytes,
       gzip_bytes::float8 as "gzipBytes", job.id as job, tenant, client, expires
     from part join job on job.id = part.job
     where part.id = $1 and job.state = 'completed' and job.expires > now()`,
    [id],
  )
  return rows[0]
}

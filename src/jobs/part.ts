import type { ClientBase, Pool } from 'pg'

/** What one partition wrote of a kind and type: a file, or a piece of one (`published-file.ts`). `path` is its name in the file store; bytes before and after gzip. */
export interface Part {
  readonly id: string
  readonly kind: 'output' | 'deleted' | 'error'
  readonly type: string
  readonly path: string
  readonly records: number
  readonly bytes: number
  readonly gzipBytes: number
  /** CRC-32 of the lines, and of the bytes as they are stored; null for files from before there were any. */
  readonly crc: number | null
  readonly gzipCrc: number | null
  /** The patient whose block ends the file has more of it in the partition's next one. */
  readonly continues: boolean
}

/** Publishes the files of a finished partition. */
export async function insertParts(
  client: ClientBase,
  job: string,
  partition: number,
  parts: readonly Part[],
): Promise<void> {
  for (const [number, part] of parts.entries()) {
    const { id, kind, type, path, records, bytes, gzipBytes, crc, gzipCrc, continues } = part
    await client.query(
      `insert into part (id, job, partition, number, kind, type, path, records, bytes, gzip_bytes, crc, gzip_crc, continues)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
      [id, job, partition, number, kind, type, path, records, bytes, gzipBytes, crc, gzipCrc, continues],
    )
  }
}

export const partColumns = `part.id, kind, type, path, records::float8 as records, bytes::float8 as bytes,
  gzip_bytes::float8 as "gzipBytes", crc::float8 as crc, gzip_crc::float8 as "gzipCrc", continues`

/** The paths of all parts of a job. */
export async function jobPaths(pool: Pool, job: string): Promise<string[]> {
  const { rows } = await pool.query<{ path: string }>('select path from part where job = $1', [job])
  return rows.map(({ path }) => path)
}

/**
 * The paths of the files of each job that was completed within some seconds, or whose files were made again.
 * @param seconds undefined: of all completed jobs
 */
export async function partsOfCompleted(pool: Pool, seconds: number | undefined): Promise<Map<string, string[]>> {
  const { rows } = await pool.query<{ id: string; paths: string[] }>(
    `select job.id, array(select path from part where part.job = job.id) as paths from job
     where state = 'completed' and ($1::float8 is null or greatest(finished, mended) > now() - $1 * interval '1 second')`,
    [seconds],
  )
  return new Map(rows.map(({ id, paths }) => [id, paths]))
}

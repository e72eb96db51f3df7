import type { ClientBase, Pool } from 'pg'

/** How a job ended, or the files of one. `bytes` of the stored files; `seconds` since the kick-off; `reason` when it failed. */
export interface Ending {
  readonly job: string
  readonly tenant: string
  readonly client: string
  readonly files: number
  readonly records: number
  readonly bytes: number
  readonly seconds: number
  readonly reason?: string
}

/**
 * Wraps the statement that ends jobs: for each job that it ends there is one entry of the audit trail in the same transaction, so exactly
 * one, whoever ends it. The shape is that of `AuditEntry` in `audit/`, which jobs know only through the database.
 */
const auditedSql = (ending: string, kind: 'export' | 'expiry', outcome: 'success' | 'failed'): string => `
  with ended as (${ending} returning id, tenant, client, failure, created),
  weighed as (
    select ended.id, ended.tenant, ended.client, ended.failure, ended.created,
      count(distinct coalesce(part.file, part.id)) as files, coalesce(sum(records), 0) as records, coalesce(sum(gzip_bytes), 0) as bytes
    from ended left join part on part.job = ended.id
    group by ended.id, ended.tenant, ended.client, ended.failure, ended.created
    order by ended.tenant collate "C"
  )
  select append_audit(tenant, jsonb_strip_nulls(jsonb_build_object(
    'kind', '${kind}',
    'outcome', '${outcome}',
    'agent', jsonb_build_object('kind', 'server'),
    'subjects', jsonb_build_array('Job/' || id),
    'reason', failure,
    'detail', jsonb_build_object('client', client, 'files', files, 'records', records, 'bytes', bytes)
  ))),
    id as job, tenant, client, failure as reason, files::float8 as files, records::float8 as records, bytes::float8 as bytes,
    extract(epoch from clock_timestamp() - created)::float8 as seconds
  from weighed`

/**
 * Ends jobs, and has the trail tell so.
 * @param ending an `update job … ` without `returning`
 * @param kind `export` for the end of the work, `expiry` for the end of the files
 * @returns those that it ended, for the log of whoever ended them
 */
export async function endJobs(
  client: ClientBase | Pool,
  ending: string,
  kind: 'export' | 'expiry',
  outcome: 'success' | 'failed',
  values: readonly unknown[] = [],
): Promise<Ending[]> {
  type Row = Omit<Ending, 'reason'> & { readonly reason: string | null }
  const { rows } = await client.query<Row>(auditedSql(ending, kind, outcome), [...values])
  return rows.map(({ job, tenant, client: ofClient, files, records, bytes, seconds, reason }) => ({
    ...{ job, tenant, client: ofClient, files, records, bytes },
    seconds: Math.round(seconds * 1000) / 1000,
    ...(reason === null ? {} : { reason }),
  }))
}

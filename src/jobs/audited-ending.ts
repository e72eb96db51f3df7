/**
 * Wraps the statement that ends jobs: for each job that it ends there is one entry of the audit trail in the same transaction, so exactly
 * one, whoever ends it. The shape is that of `AuditEntry` in `audit/`, which jobs know only through the database.
 * @param ending an `update job … ` without `returning`
 * @param kind `export` for the end of the work, `expiry` for the end of the files
 */
export const auditedEnding = (ending: string, kind: 'export' | 'expiry', outcome: 'success' | 'failed'): string => `
  with ended as (${ending} returning id, tenant, client, failure),
  weighed as (
    select ended.*, count(part.id) as files, coalesce(sum(records), 0) as records, coalesce(sum(gzip_bytes), 0) as bytes
    from ended left join part on part.job = ended.id
    group by ended.id, ended.tenant, ended.client, ended.failure
    order by ended.tenant collate "C"
  )
  select append_audit(tenant, jsonb_strip_nulls(jsonb_build_object(
    'kind', '${kind}',
    'outcome', '${outcome}',
    'agent', jsonb_build_object('kind', 'server'),
    'subjects', jsonb_build_array('Job/' || id),
    'reason', failure,
    'detail', jsonb_build_object('client', client, 'files', files, 'records', records, 'bytes', bytes)
  )))
  from weighed`

/** A rule of Prometheus: what is wrong, how one sees it, and what to do. */
export interface Alert {
  readonly name: string
  readonly severity: 'critical' | 'warning' | 'info'
  /** Has a result while something is wrong. */
  readonly query: string
  /** How long it must be so. */
  readonly for: string
  readonly summary: string
  readonly todo: string
}

const status = 'http_server_request_duration_seconds_count'

/** Judgement is here and not in the metrics: change the numbers to what your service has promised. */
export const alerts: readonly Alert[] = [
  {
    name: 'MillraceGone',
    severity: 'critical',
    query: 'absent(millrace_build_info)',
    for: '5m',
    summary: 'No Millrace server tells its metrics',
    todo: 'See whether the servers run, and whether Prometheus reaches them: `systemctl status`, /livez, /readyz.',
  },
  {
    name: 'MillraceNobodyExports',
    severity: 'critical',
    query: 'max(millrace_workers_alive) == 0',
    for: '5m',
    summary: 'No engine thread of any server is alive',
    todo: 'Look for `thread-failed` in the log; start the server again.',
  },
  {
    name: 'MillraceWorkWaits',
    severity: 'warning',
    query: 'max by (work) (millrace_oldest_waiting_seconds) > 900',
    for: '10m',
    summary: 'Work has waited for more than a quarter of an hour',
    todo: 'Where workers are busy, add some (`--workers`) or another server. Where none works, look for `task-failed` in the log.',
  },
  {
    name: 'MillraceExportFailed',
    severity: 'warning',
    query: 'sum(increase(millrace_exports_ended_total{outcome="failed"}[15m])) > 0',
    for: '0m',
    summary: 'An export has failed for good',
    todo: '`millrace job list --state failed` names it, `millrace job show` and the log tell why.',
  },
  {
    name: 'MillraceAttemptsFail',
    severity: 'warning',
    query:
      'sum(rate(millrace_partition_attempts_total{outcome="failed"}[15m])) / sum(rate(millrace_partition_attempts_total[15m])) > 0.2',
    for: '15m',
    summary: 'More than a fifth of the attempts at partitions fail',
    todo: 'The lines `task-failed` of the log say why. After ten attempts at a partition its export fails.',
  },
  {
    name: 'MillraceFilesLost',
    severity: 'critical',
    query: 'sum(increase(millrace_engine_events_total{event="files-lost"}[1h])) > 0',
    for: '0m',
    summary: 'Files of a finished export were damaged and could not be made again',
    todo: 'Check the disk of the files. The client of that export must start a new one.',
  },
  {
    name: 'MillraceWorkersMissing',
    severity: 'warning',
    query:
      'sum by (instance) (millrace_engine_threads{state="ready"}) < sum by (instance) (millrace_engine_threads{state="configured"})',
    for: '10m',
    summary: 'A server has fewer engine threads than it should',
    todo: 'Look for `thread-failed` in its log: often it is a memory limit.',
  },
  {
    name: 'MillraceWorkersDie',
    severity: 'warning',
    query: 'sum(increase(millrace_partitions_rescued_total[1h])) > 0',
    for: '0m',
    summary: 'Partitions were taken from workers that had died',
    todo: 'Look for what ended them: the log of the system, a memory limit, a restart.',
  },
  {
    name: 'MillraceErrors',
    severity: 'critical',
    query: `sum(rate(${status}{http_response_status_code=~"5.."}[5m])) / sum(rate(${status}[5m])) > 0.01`,
    for: '10m',
    summary: 'More than one request in a hundred is answered 5xx',
    todo: 'The log has `request failed` or `store not reached` for each. /readyz says what is missing.',
  },
  {
    name: 'MillraceRefusals',
    severity: 'info',
    query: `sum by (http_response_status_code) (rate(${status}{http_response_status_code=~"401|403|429"}[10m])) > 1`,
    for: '15m',
    summary: 'More than one request a second is refused',
    todo: 'A client is misconfigured, asks too often, or somebody tries. `millrace audit export` tells who.',
  },
  {
    name: 'MillraceDiskShort',
    severity: 'critical',
    query: 'millrace_disk_free_bytes < on (instance) group_left millrace_disk_floor_bytes',
    for: '1m',
    summary: 'Less disk is free than --free-disk says: kick-offs are refused',
    todo: 'Make room: delete exports (`millrace job delete`), or take a larger disk.',
  },
  {
    name: 'MillraceFilesUnusable',
    severity: 'critical',
    query: 'sum(increase(millrace_engine_events_total{event="files-unusable"}[10m])) > 0',
    for: '5m',
    summary: 'S3 is away or refuses: exports wait',
    todo: 'The lines `files-unusable` of the log, and `files` of /readyz, say why: the network, credentials, the bucket, a clock.',
  },
  {
    name: 'MillraceDiskFills',
    severity: 'warning',
    query: 'predict_linear(millrace_disk_free_bytes[6h], 86400) < 0',
    for: '1h',
    summary: 'A disk will be full within a day, if it goes on like this',
    todo: 'Make room before it is.',
  },
  {
    name: 'MillraceCertificateExpires',
    severity: 'warning',
    query: 'min(millrace_certificate_expiry_timestamp_seconds) - time() < 14 * 86400',
    for: '1h',
    summary: 'The TLS certificate expires within a fortnight',
    todo: 'Renew it, and put the new files in the place of the old: the server takes them up by itself.',
  },
  {
    name: 'MillraceDatabaseDies',
    severity: 'warning',
    query: 'sum(increase(millrace_embedded_restarts_total[1h])) > 0',
    for: '0m',
    summary: 'The embedded PostgreSQL has died and was brought back',
    todo: '`postgres.log` in the data directory says why: often it is a memory limit or a full disk.',
  },
  {
    name: 'MillraceFiguresMissing',
    severity: 'warning',
    query: 'sum by (source) (increase(millrace_scrape_failures_total[10m])) > 3',
    for: '5m',
    summary: 'Figures cannot be had in time',
    todo: '`store`: the database is away or very busy. `disk`: a disk does not answer.',
  },
  {
    name: 'MillraceDatabaseConnections',
    severity: 'warning',
    query:
      'max(millrace_database_connections{state="open"}) / max(millrace_database_connections{state="allowed"}) > 0.9',
    for: '10m',
    summary: 'The database has hardly any connections left',
    todo: 'Raise `max_connections`, or run fewer workers.',
  },
  {
    name: 'MillracePoolsWait',
    severity: 'warning',
    query: 'histogram_quantile(0.99, sum by (le, pool) (rate(millrace_database_pool_wait_seconds_bucket[10m]))) > 1',
    for: '10m',
    summary: 'Connections to the database are waited for',
    todo: 'Look what the database is busy with (`pg_stat_activity`); another server of Millrace has connections of its own.',
  },
  {
    name: 'MillraceKickOffsWait',
    severity: 'warning',
    query: 'histogram_quantile(0.99, sum by (le) (rate(millrace_cut_wait_seconds_bucket[10m]))) > 5',
    for: '10m',
    summary: 'Kick-offs wait for writers; beyond ten seconds they are 503',
    todo: 'Look which load or writer holds a transaction open for long.',
  },
  {
    name: 'MillraceAuditWaits',
    severity: 'warning',
    query: 'sum(millrace_audit_backlog) > 500',
    for: '5m',
    summary: 'Entries of the audit trail wait for the database',
    todo: 'A crash would lose refusals. Look for `audit trail` in the log.',
  },
  {
    name: 'MillraceQueueComplains',
    severity: 'info',
    query: 'sum(increase(millrace_engine_events_total{event=~"queue-error|queue-warning"}[15m])) > 5',
    for: '0m',
    summary: 'The queue complains again and again',
    todo: 'The lines `queue-error` and `queue-warning` of the log say of what.',
  },
]

import pg from 'pg'
import { liveWorkersSql } from '../jobs/liveness.ts'
import { readyTasksSql, runningTasksSql } from '../jobs/queue.ts'
import { jobStates } from '../protocol/plan/job-state.ts'
import type { Sample } from '../telemetry/meter.ts'
import { sourceMsMax } from '../telemetry/metric-registry.ts'
import { oldestPartitionSql, oldestPlanSql, partitionStatesSql } from './standing-work.ts'

/** What stands in the database, of all servers together. */
export interface StoreFigures {
  readonly jobs: Readonly<Record<string, number>>
  readonly partitions: Readonly<Record<'waiting' | 'running' | 'done', number>>
  /** Seconds for which the oldest work has waited; 0 when none waits. */
  readonly oldestPlanSeconds: number
  readonly oldestPartitionSeconds: number
  readonly tasksReady: number
  readonly tasksActive: number
  readonly workers: number
  /** Counted up to `unpackedMax`. */
  readonly unpacked: number
  readonly databaseBytes: number
  readonly connectionsOpen: number
  readonly connectionsAllowed: number
}

/** So many changed types of owners are counted; how many more there are changes nothing that anybody decides. */
export const unpackedMax = 100_000

/** Before a first server there is no queue. Of what kind the connections of others are is hidden from whoever may not read all statistics. */
const figuresSql = (hasQueue: boolean): string => `
  select
    (select coalesce(jsonb_object_agg(state, count), '{}') from (select state, count(*) from job group by state) s) as jobs,
    (select coalesce(jsonb_object_agg(state, count), '{}') from (${partitionStatesSql}) s) as partitions,
    (${oldestPlanSql}) as "oldestPlanSeconds",
    (${oldestPartitionSql}) as "oldestPartitionSeconds",
    ${hasQueue ? `(select count(*)::int from (${readyTasksSql}) t)` : 0} as "tasksReady",
    ${hasQueue ? `(select count(*)::int from (${runningTasksSql}) t)` : 0} as "tasksActive",
    (select count(*)::int from (${liveWorkersSql}) w) as workers,
    (select count(*)::int from (select from unpacked limit ${unpackedMax}) u) as unpacked,
    pg_database_size(current_database())::float8 as "databaseBytes",
    (select count(*)::int from pg_stat_activity
      where datid is not null and coalesce(backend_type, 'client backend') = 'client backend') as "connectionsOpen",
    current_setting('max_connections')::int as "connectionsAllowed"`

const ofStates = <State extends string>(
  states: readonly State[],
  found: Readonly<Record<string, number>>,
): Record<State, number> =>
  Object.fromEntries(states.map((state) => [state, found[state] ?? 0])) as Record<State, number>

/** Reads the figures on a connection of their own, so that they are had when all others are taken. @throws after `sourceMsMax` */
export async function readStoreFigures(connection: pg.PoolConfig): Promise<StoreFigures> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: sourceMsMax, query_timeout: sourceMsMax })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(`set statement_timeout = ${sourceMsMax}`)
    const queue = await client.query<{ there: boolean }>(`select to_regclass('pgboss.job') is not null as there`)
    const { rows } = await client.query<StoreFigures>(figuresSql(queue.rows[0]!.there))
    const { jobs, partitions, ...others } = rows[0]!
    return {
      jobs: ofStates(jobStates, jobs),
      partitions: ofStates(['waiting', 'running', 'done'], partitions),
      ...others,
    }
  } finally {
    void client.end().catch(() => {})
  }
}

/** The same as samples. */
export function samplesOfStore(figures: StoreFigures): Sample[] {
  const { jobs, partitions } = figures
  const ofState = (name: 'millrace_jobs' | 'millrace_partitions', counts: Readonly<Record<string, number>>): Sample[] =>
    Object.entries(counts).map(([state, value]) => ({ name, value, labels: { state } }))
  return [
    ...ofState('millrace_jobs', jobs),
    ...ofState('millrace_partitions', partitions),
    { name: 'millrace_oldest_waiting_seconds', value: figures.oldestPlanSeconds, labels: { work: 'plan' } },
    { name: 'millrace_oldest_waiting_seconds', value: figures.oldestPartitionSeconds, labels: { work: 'partition' } },
    { name: 'millrace_queue_tasks', value: figures.tasksReady, labels: { state: 'ready' } },
    { name: 'millrace_queue_tasks', value: figures.tasksActive, labels: { state: 'active' } },
    { name: 'millrace_workers_alive', value: figures.workers },
    { name: 'millrace_unpacked', value: figures.unpacked },
    { name: 'millrace_database_bytes', value: figures.databaseBytes },
    { name: 'millrace_database_connections', value: figures.connectionsOpen, labels: { state: 'open' } },
    { name: 'millrace_database_connections', value: figures.connectionsAllowed, labels: { state: 'allowed' } },
  ]
}

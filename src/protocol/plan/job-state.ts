/**
 * The states of a job:
 *
 *   accepted ──► running ──► finishing ──► completed
 *       │           │            │
 *       └───────────┴────────────┴──────► failed
 *
 * and from each of them to `deleted`, which ends the job for its client. The first three are live: they hold the one place that a
 * client has in a tenant (S-5).
 */
export const jobStates = ['accepted', 'running', 'finishing', 'completed', 'failed', 'deleted'] as const
export type JobState = (typeof jobStates)[number]

const live: ReadonlySet<JobState> = new Set(['accepted', 'running', 'finishing'])

export const isLive = (state: JobState): boolean => live.has(state)

/**
 * How long a session may keep others waiting, in milliseconds. Every connection has these as settings of its session, so PostgreSQL
 * itself ends what a paused or cut-off program holds (docs/decisions/0038).
 */
export interface SessionBounds {
  /** A transaction of which nothing is asked any more is ended with its session, and what it has locked is free. */
  readonly idleInTransactionMsMax: number
  /** A statement that waits for a lock fails. */
  readonly lockMsMax: number
  /** A statement fails, whatever it does. */
  readonly statementMsMax: number
  /**
   * What is sent to a peer is acknowledged within this time, or the session ends. Time in which the peer takes nothing, because its
   * reader pauses, counts too.
   */
  readonly unacknowledgedMsMax: number
}

/**
 * Of sessions that nobody waits for: commands and engines. Theirs may be long statements, but not endless ones, and readers of a COPY
 * that turn to something else for minutes.
 */
export const sessionBounds: SessionBounds = {
  idleInTransactionMsMax: 15_000,
  lockMsMax: 60_000,
  statementMsMax: 900_000,
  unacknowledgedMsMax: 600_000,
}

/** Of sessions that answer requests: a client gets its answer within ten seconds, though it may be a 503. */
export const answeringBounds: SessionBounds = {
  ...sessionBounds,
  lockMsMax: 8_000,
  statementMsMax: 60_000,
  unacknowledgedMsMax: 30_000,
}

/**
 * A peer of which nothing is awaited and that is gone without a goodbye is noticed by PostgreSQL within half a minute: this long in
 * silence it is asked, this often, this many times.
 */
const keepAliveIdleSeconds = 10
const keepAliveEverySeconds = 5
const keepAlivesMax = 3

/** The bounds as the `options` of a connection. What comes later in `options` wins. */
export function boundOptions(bounds: SessionBounds): string {
  const { idleInTransactionMsMax, lockMsMax, statementMsMax, unacknowledgedMsMax } = bounds
  const settings = {
    idle_in_transaction_session_timeout: idleInTransactionMsMax,
    lock_timeout: lockMsMax,
    statement_timeout: statementMsMax,
    tcp_keepalives_idle: keepAliveIdleSeconds,
    tcp_keepalives_interval: keepAliveEverySeconds,
    tcp_keepalives_count: keepAlivesMax,
    tcp_user_timeout: unacknowledgedMsMax,
  }
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ')
}

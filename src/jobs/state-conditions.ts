/** SQL on a row of `job`: what its state allows. */

/** It is at work for its client, who may have no other. The index `job_live` says the same. */
export const isLive = `state in ('accepted', 'running', 'finishing')`

/** It is planned, and its partitions run. */
export const isPlanned = `state in ('running', 'finishing')`

/** It is done, and damaged files of it are made again. */
export const isMending = `(state = 'completed' and mending_since is not null)`

/** Nothing comes of it any more, and what it had may go. */
export const hasEnded = `state in ('deleted', 'failed')`

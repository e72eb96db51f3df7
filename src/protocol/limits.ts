/** Every bound of the export itself, in one place. Bytes and counts; times say their unit. */

/** S-23: values of `patient` in one request, before duplicates are dropped. */
export const patientsMax = 20_000

/** What is read to find out who is in a Group; it and the Groups in it are judged at the kick-off, so all of it is bounded. */
export const groupsMax = 1_000
/** How many Groups may lie around one; 0 for the Group that is exported. */
export const groupDepthMax = 16
/** Members that one Group lists, and all of them together; also those who are none at the moment. */
export const groupEntriesMax = 100_000
export const groupEntriesTotalMax = 200_000
/** The texts of all of them: as much as one record may have. */
export const groupBytesMax = 16 * 1024 * 1024

/** Body of a kick-off: 20,000 patients are 1.4 to 4.7 MB (protocol §2.2). */
export const requestBytesMax = 16 * 1024 * 1024

/** What the JSON of a kick-off may have: 20,000 patients take 80,000 values, 400,000 with identifiers and texts beside each. */
export const requestJson = { depthMax: 100, valuesMax: 500_000 }

/** Entries of one Parameters resource: the patients, and as many others. */
export const entriesMax = 2 * patientsMax

/** Issues in one answer; the rest are counted. */
export const issuesMax = 100

/** D28: the size of one file, gzip-compressed. */
export const partGzipBytesMax = 50_000_000

/** Stored bytes that one partition aims at: a job has about `partitionsAimed` of them, each within the two bounds. */
export const partitionsAimed = 8
export const partitionBytesMin = 64 * 1024 * 1024
export const partitionBytesMax = 256 * 1024 * 1024

/** Owners of one partition: a list of them is kept in its row, and in memory while it runs. */
export const partitionOwnersMax = 20_000

/** Files that one of several manifests lists; the `error` files come on top. */
export const manifestFilesMax = 1_000

/** Deletions that one Bundle of a file of deletions tells. */
export const deletionsPerBundleMax = 1_000

/** How often one partition is tried before its job fails. */
export const partitionAttemptsMax = 10

/** How often a partition of a completed job is run again for damaged files before the job fails. */
export const partitionMendsMax = 3

/** How long files that are made again keep versions from being pruned: they may wait for room, on the disk that the versions fill. */
export const mendingHoursMax = 24

/** Lines in the `error` file about references that lead nowhere; the rest are counted in one more line. */
export const unresolvedReferencesMax = 10_000

/** D27: days from completion until files go, and days from the job's end until its row goes too. */
export const fileRetentionDays = 30
export const jobRetentionDays = 60

/** Deleted and failed jobs that are kept of one client in a tenant; beyond it the oldest go before their time. */
export const endedJobsMax = 1_000

/** Seconds between polls that a 202 may ask for. */
export const retryAfterSecondsMin = 1
export const retryAfterSecondsMax = 600

/** How far a transitive export follows references from one referenced record to the next (O-14). */
export const referenceHopsMax = 100

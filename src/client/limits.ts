/** Every bound of the export client, units last. */

/** The operation's bound on `patient` (S-23); a longer list must be split over several exports. */
export const patientsMax = 20_000
export const patientsFileBytesMax = 16 * 2 ** 20

export const redirectsMax = 5
/** A connection on which no byte moves for so long is given up. */
export const silenceMsMax = 120_000
/** A token is renewed so long before it expires. */
export const tokenMarginMs = 30_000

/** `Retry-After: 0` means "at once"; this keeps it from becoming a busy loop. */
export const retryAfterMsMin = 100
/** A real server has asked for five hours; looking in every ten minutes costs it nothing. */
export const retryAfterMsMax = 600_000
export const backOffMsMin = 1_000
export const backOffMsMax = 60_000
/** Polls in a row that may fail with a passing cause, and for how long, before the client gives up. */
export const failedPollsMax = 20
export const outageMsMax = 30 * 60_000

export const answerBytesMax = 2 ** 20
export const manifestBytesMax = 64 * 2 ** 20
export const manifestFilesMax = 100_000

export const parallelDownloadsDefault = 4
export const parallelDownloadsMax = 32
/** Attempts in a row at one file that bring no new byte. */
export const barrenAttemptsMax = 5
/** What a server may ask a client to wait for one file, in all, before such attempts count as barren. */
export const awaitedMsMax = 30 * 60_000
/** Attempts at one file, whatever they bring. */
export const attemptsMax = 100
/** Files that the server may refuse outright before the rest is not asked for. */
export const refusedFilesMax = 10

/** Below the longest string that V8 can hold; a record with a large attachment is far smaller. */
export const lineBytesMax = 128 * 2 ** 20
/** Ids remembered to find duplicates: at most 128 MiB, 192 MiB while the table grows. */
export const rememberedIdsMax = 10_000_000
/** Different issues of the `error` files that are counted one by one. */
export const issueKindsMax = 100

/** Faults of files that a message lists; the summary has them all. */
export const problemsShownMax = 20

/** P3: `X-Progress` is shorter than 100 characters. */
export const progressTextMax = 100
export const shownTextMax = 500

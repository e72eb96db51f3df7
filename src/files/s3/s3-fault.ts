import { DamagedFile, type StoreTrouble, UnusableStore } from '../file-store.ts'

/** What the SDK throws: an answer of the store, or what the network said. */
interface Thrown extends Error {
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly statusCode?: number }
}

const codes: readonly (readonly [RegExp, StoreTrouble])[] = [
  [/^(NoSuchBucket|NotFound)$/, 'bucket'],
  [/^(RequestTimeTooSkewed|RequestExpired)$/, 'clock'],
  [
    /^(InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|TokenRefreshRequired|CredentialsProviderError|InvalidClientTokenId|NotSignedUp)$/,
    'credentials',
  ],
  [/^(NotImplemented|HttpVersionNotSupported)$/, 'refused'],
  [/^(QuotaExceeded|InsufficientCapacity|XMinioStorageFull|EntityTooLarge)$/, 'room'],
  [/^(AccessDenied|AllAccessDisabled|AccountProblem|Forbidden)$/, 'denied'],
  [
    /^(SlowDown|ServiceUnavailable|InternalError|RequestTimeout|RequestTimeoutException|TimeoutError|Throttling|ThrottlingException|OperationAborted|BadDigest|IncompleteBody|XAmzContentSHA256Mismatch)$/,
    'away',
  ],
]

/** Certificates do not mend themselves: nobody waits for that. */
const certificate = /^(CERT_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|ERR_TLS_CERT|ERR_SSL_)/
const network =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN|EPROTO|ERR_STREAM_PREMATURE_CLOSE|HPE_[A-Z_]+)$/

const gone = /^(NoSuchKey|InvalidRange|PreconditionFailed)$/

/** What an error of the SDK means for the store of files. Errors that are none of these stay what they are. */
export function faultOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  if (error instanceof UnusableStore || error instanceof DamagedFile || error.name === 'AbortError') return error
  if (gone.test(error.name)) return new DamagedFile(goneTexts[error.name]!, { cause: error })
  const trouble = troubleOf(error)
  return trouble === undefined ? error : new UnusableStore(trouble, told(error), { cause: error })
}

const goneTexts: Readonly<Record<string, string>> = {
  NoSuchKey: 'it is not there',
  InvalidRange: 'it is shorter than it was',
  PreconditionFailed: 'another one was put in its place',
}

function troubleOf(error: Thrown): StoreTrouble | undefined {
  const known = codes.find(([pattern]) => pattern.test(error.name))
  if (known) return known[1]
  const { code = '' } = error
  if (certificate.test(code)) return 'refused'
  if (network.test(code) || error.message === 'aborted') return 'away'
  const status = statusOf(error)
  if (status === undefined) return undefined
  if (status >= 500 || status === 429 || status === 408) return 'away'
  return status === 401 || status === 403 ? 'denied' : 'refused'
}

const statusOf = (error: Thrown): number | undefined => error.$metadata?.httpStatusCode ?? error.$response?.statusCode

/** The code that the store or the system gave, and its words. Neither holds a key of ours, or a signature. */
function told(error: Thrown): string {
  const status = statusOf(error)
  const said = [error.code ?? error.name, ...(status === undefined ? [] : [String(status)])].join(' ')
  return error.message === '' || error.message === error.name
    ? said
    : `${said}: ${error.message.slice(0, toldLettersMax)}`
}

/** What is told of words that another server chose. */
const toldLettersMax = 200

import { resolve } from 'node:path'
import { Failure } from '../../failure.ts'

/** Where in S3 the files of exports lie, and how it is spoken to. Credentials are found where the SDK looks for them. */
export interface S3Place {
  readonly kind: 's3'
  readonly bucket: string
  /** What every key begins with: nothing, or something that ends with a slash. */
  readonly prefix: string
  /** Without it that of AWS. */
  readonly endpoint?: string
  /** Under which URL clients reach the store, where it is not `endpoint`. */
  readonly linkEndpoint?: string
  readonly region?: string
  /** The bucket is in the path, not in the host's name. */
  readonly pathStyle: boolean
  /** A file with the certificates of the authorities that are trusted in place of the usual ones. */
  readonly ca?: string
  readonly encryption?: { readonly algorithm: (typeof encryptions)[number]; readonly key?: string }
  /** Clients are sent to the store itself where their profile allows that. */
  readonly links: boolean
}

const encryptions = ['AES256', 'aws:kms', 'aws:kms:dsse'] as const

const parameters = [
  'endpoint',
  'link-endpoint',
  'region',
  'path-style',
  'ca',
  'encryption',
  'kms-key',
  'links',
] as const
type Parameter = (typeof parameters)[number]

const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const prefixPattern = /^([A-Za-z0-9._-]+\/)*$/
const example = 's3://bucket/prefix?endpoint=https://s3.example.org&region=eu-central-1'

export const isS3Url = (text: string): boolean => /^s3:/i.test(text)

/**
 * Reads `s3://bucket/prefix?…`. What is said in it is known, and said once: a slip must not put files elsewhere, or in the clear.
 * @throws Failure
 */
export function parseS3Url(text: string): S3Place {
  const url = URL.canParse(text) ? new URL(text) : wrong('is no URL')
  if (url.username || url.password) return wrong('has credentials in it, which the SDK takes from elsewhere')
  if (url.hash) return wrong('has a #')
  const bucket = url.host
  const path = url.pathname.replace(/^\/|\/$/g, '')
  const prefix = path === '' ? '' : `${path}/`
  if (!bucketPattern.test(bucket)) return wrong('names no bucket: 3 to 63 of a-z, 0-9, . and -')
  if (!prefixPattern.test(prefix) || /(^|\/)\.\.?\//.test(prefix))
    return wrong('has a prefix of other letters than A-Z, a-z, 0-9, ., _ and -')
  const given = givenOf(url.searchParams)
  const endpoint = endpointOf(given, 'endpoint')
  const linkEndpoint = endpointOf(given, 'link-endpoint')
  return {
    kind: 's3',
    bucket,
    prefix,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(linkEndpoint === undefined ? {} : { linkEndpoint }),
    ...(given.region === undefined ? {} : { region: given.region }),
    pathStyle: switchOf(given, 'path-style') ?? endpoint !== undefined,
    ...(given.ca === undefined ? {} : { ca: resolve(given.ca) }),
    ...encryptionOf(given),
    links: switchOf(given, 'links') ?? true,
  }
}

function wrong(what: string): never {
  throw new Failure(
    `The URL of the S3 store ${what}.`,
    `Write it as ${example}; docs/operating.md lists what else it may say.`,
  )
}

type Given = Partial<Record<Parameter, string>>

function givenOf(query: URLSearchParams): Given {
  const given: Given = {}
  for (const [name, value] of query) {
    const known = parameters.find((parameter) => parameter === name)
    if (known === undefined) return wrong(`says ${name}, which is none of ${parameters.join(', ')}`)
    if (given[known] !== undefined) return wrong(`says ${name} twice`)
    if (value === '') return wrong(`says nothing for ${name}`)
    given[known] = value
  }
  return given
}

function endpointOf(given: Given, name: 'endpoint' | 'link-endpoint'): string | undefined {
  const text = given[name]
  if (text === undefined) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username || url.password)
    return wrong(`has a ${name} that is no http: or https: URL`)
  return text.replace(/\/$/, '')
}

function switchOf(given: Given, name: 'path-style' | 'links'): boolean | undefined {
  const text = given[name]
  if (text === undefined) return undefined
  return text === '1' || (text === '0' ? false : wrong(`says ${name}=${text}, which is 1 or 0`))
}

function encryptionOf({ encryption, 'kms-key': key }: Given): Pick<S3Place, 'encryption'> {
  if (encryption === undefined) return key === undefined ? {} : wrong('names a kms-key and no encryption')
  const algorithm = encryptions.find((each) => each === encryption)
  if (algorithm === undefined) return wrong(`says encryption=${encryption}, which is one of ${encryptions.join(', ')}`)
  if (key !== undefined && algorithm === 'AES256') return wrong('names a kms-key for an encryption without one')
  return { encryption: { algorithm, ...(key === undefined ? {} : { key }) } }
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** The endpoints that are spoken to without TLS on a way that others may see. */
export const clearEndpoints = ({ endpoint, linkEndpoint }: S3Place): string[] =>
  [endpoint, linkEndpoint].filter((each): each is string => {
    if (each === undefined) return false
    const { protocol, hostname } = new URL(each)
    return protocol === 'http:' && !loopback.test(hostname)
  })

/** How the place is called in what operators read. */
export const placeName = ({ bucket, prefix }: S3Place): string => `s3://${bucket}/${prefix}`

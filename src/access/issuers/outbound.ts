import { type LookupAddress, lookup } from 'node:dns'
import { type IncomingHttpHeaders, type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isPublicAddress } from './public-address.ts'

/** Time for one exchange with another server: look-up of the name, connection and whole answer. */
const outboundMsMax = 5_000
/** Size of another server's answer. */
export const outboundBytesMax = 256 * 1024

/** Which servers may be asked. `privateAddresses` also allows plain http; it is for development. */
export interface OutboundRules {
  readonly privateAddresses: boolean
}

/** One request to a server that an operator has named. */
export interface OutboundRequest {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** A form; with it the request is a POST. */
  readonly form?: URLSearchParams
}

/** What the server sent: parsed JSON. */
export interface OutboundAnswer {
  readonly document: unknown
  readonly headers: IncomingHttpHeaders
}

/**
 * Asks another server for a JSON document: https only, no redirects, bounded in time and size, and only at addresses of
 * the public Internet. The addresses are looked at after the name was resolved, and the connection goes to exactly
 * those, so that a name which changes its mind leads nowhere else (B25).
 * @throws Error when there is no such document; the message says why and holds no address.
 */
export async function askForJson(asked: OutboundRequest, rules: OutboundRules): Promise<OutboundAnswer> {
  const url = new URL(asked.url)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && rules.privateAddresses)) throw new Error('not https')
  if (!rules.privateAddresses) checkLiteral(url)
  const limit = AbortSignal.timeout(outboundMsMax)
  try {
    const response = await send(url, asked, rules, limit)
    try {
      return { document: JSON.parse(await readText(checkHead(response))), headers: response.headers }
    } finally {
      response.destroy()
    }
  } catch (error) {
    if (limit.aborted) throw new Error(`no answer within ${outboundMsMax / 1000} s`, { cause: error })
    if (error instanceof SyntaxError) throw new Error('not JSON', { cause: error })
    const { code } = error as NodeJS.ErrnoException
    throw code === undefined ? error : new Error(code, { cause: error })
  }
}

/** A host that is an address already is never looked up. */
function checkLiteral({ hostname }: URL): void {
  const address = hostname.replace(/^\[|\]$/g, '')
  if (isIP(address) !== 0 && !isPublicAddress(address)) throw new Error(privateText)
}

const privateText = 'the host has a private or special address'

const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[] = []) => {
    if (error) return callback(error, [])
    if (addresses.length === 0 || !addresses.every(({ address }) => isPublicAddress(address))) {
      return callback(new Error(privateText), [])
    }
    if (options.all) return callback(null, addresses)
    callback(null, addresses[0]!.address, addresses[0]!.family)
  })
}

function send(url: URL, { form, headers }: OutboundRequest, rules: OutboundRules, signal: AbortSignal) {
  const body = form?.toString()
  const sent = {
    accept: 'application/json',
    'user-agent': 'millrace',
    ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    ...headers,
  }
  const options = {
    method: body === undefined ? 'GET' : 'POST',
    headers: sent,
    signal,
    // A kept connection would be used again without a look at its address.
    agent: false as const,
    ...(rules.privateAddresses ? {} : { lookup: publicLookup }),
  }
  return new Promise<IncomingMessage>((resolve, reject) => {
    const request = url.protocol === 'https:' ? requestSecure(url, options) : requestPlain(url, options)
    request.once('response', resolve)
    request.on('error', reject)
    request.end(body)
  })
}

function checkHead(response: IncomingMessage): IncomingMessage {
  const { statusCode = 0, headers } = response
  if (statusCode !== 200) throw new Error(`status ${statusCode}`)
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (!/^application\/([\w.-]+\+)?json$/.test(type)) throw new Error('its Content-Type is not JSON')
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') throw new Error('compressed, which was not asked for')
  if (Number(headers['content-length'] ?? 0) > outboundBytesMax) throw tooLong()
  return response
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > outboundBytesMax) throw tooLong()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const tooLong = (): Error => new Error(`more than ${outboundBytesMax} bytes`)

import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'

/** What S3 is asked, by the name that its documentation gives it. */
export type Operation =
  | 'GetObject'
  | 'PutObject'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'DeleteObject'
  | 'other'

/** What becomes of a request. */
export type Fault =
  | { readonly kind: 'answered'; readonly status: number; readonly code: string }
  /** The store never hears of it. */
  | { readonly kind: 'cut' }
  /** The store does it, and its answer is lost. */
  | { readonly kind: 'lost' }
  /** So many bytes of the answer come. */
  | { readonly kind: 'cut off'; readonly bytes: number }
  /** Nothing comes, and nothing breaks. */
  | { readonly kind: 'silent' }

export const slowDown: Fault = { kind: 'answered', status: 503, code: 'SlowDown' }

/** A store of which some requests go wrong: it hands what it is asked to a real one. */
export class FaultyStore {
  readonly #target: URL
  readonly #server: Server
  readonly #secure: boolean
  /** Asked for each request; undefined: nothing goes wrong. */
  fault: (operation: Operation, message: IncomingMessage) => Fault | undefined = () => undefined
  readonly asked: Operation[] = []

  private constructor(target: string, certificate: { readonly cert: string; readonly key: string } | undefined) {
    this.#target = new URL(target)
    this.#secure = certificate !== undefined
    const answer = (message: IncomingMessage, response: ServerResponse) => this.#answer(message, response)
    this.#server = certificate ? createTlsServer(certificate, answer) : createServer(answer)
  }

  static async open(
    target: string,
    certificate?: { readonly cert: string; readonly key: string },
  ): Promise<FaultyStore> {
    const store = new FaultyStore(target, certificate)
    store.#server.listen(0, '127.0.0.1')
    await once(store.#server, 'listening')
    return store
  }

  get endpoint(): string {
    const { port } = this.#server.address() as AddressInfo
    return `${this.#secure ? 'https' : 'http'}://127.0.0.1:${port}`
  }

  /** The next requests of a kind go wrong, so many of them; then all is well. */
  failNext(operation: Operation, fault: Fault, times: number): void {
    let left = times
    this.fault = (asked) => (asked === operation && left-- > 0 ? fault : undefined)
  }

  heal(): void {
    this.fault = () => undefined
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #answer(message: IncomingMessage, response: ServerResponse): void {
    const operation = operationOf(message)
    this.asked.push(operation)
    const fault = this.fault(operation, message)
    if (fault?.kind === 'cut') message.socket.destroy()
    else if (fault?.kind === 'silent') message.resume()
    else if (fault?.kind === 'answered') {
      message.resume()
      message.once('end', () => {
        response.writeHead(fault.status, { 'content-type': 'application/xml' })
        response.end(`<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>told so</Message></Error>`)
      })
    } else this.#forward(message, response, fault)
  }

  #forward(message: IncomingMessage, response: ServerResponse, fault: Fault | undefined): void {
    const { hostname, port } = this.#target
    const { method, url, headers } = message
    // With its own Host, which is signed.
    const asked = request({ hostname, port, method, path: url, headers }, (answer) => {
      if (fault?.kind === 'lost') {
        answer.resume()
        answer.once('end', () => message.socket.destroy())
        return
      }
      response.writeHead(answer.statusCode!, answer.headers)
      if (fault?.kind !== 'cut off') return void pipeline(answer, response, () => {})
      let left = fault.bytes
      answer.once('end', () => response.end())
      answer.on('data', (chunk: Buffer) => {
        response.write(chunk.subarray(0, left))
        left -= chunk.length
        if (left > 0) return
        answer.destroy()
        response.socket?.end()
      })
    })
    pipeline(message, asked, () => {})
    asked.on('error', () => message.socket.destroy())
  }
}

function operationOf({ method, url = '' }: IncomingMessage): Operation {
  const { pathname, searchParams } = new URL(url, 'http://store')
  const isObject = /^\/[^/]+\/./.test(pathname)
  if (!isObject) return 'other'
  if (method === 'GET') return 'GetObject'
  if (method === 'PUT') return searchParams.has('partNumber') ? 'UploadPart' : 'PutObject'
  if (method === 'POST') return searchParams.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload'
  if (method === 'DELETE' && !searchParams.has('uploadId')) return 'DeleteObject'
  return 'other'
}

import { Agent, request } from 'node:http'
import type { TokenSource } from '../../src/client/session/session.ts'
import type { Credentials } from '../../src/client/session/token-source.ts'
import { Failure } from '../../src/failure.ts'
import { earlyTokens } from '../tokens.ts'

/** A client that sends one Bundle after the other, on one connection. */
export class BundleWriter {
  readonly #base: string
  readonly #token: TokenSource
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  constructor(base: string, credentials: Credentials, signal: AbortSignal) {
    this.#base = base
    this.#token = earlyTokens(base, credentials, signal)
  }

  /** Asks for a token, which is no part of a measure. */
  async begin(): Promise<void> {
    await this.#token()
  }

  /** @returns how long the answer took, in milliseconds @throws Failure when it is none that says that all was written */
  async send(bundle: Buffer): Promise<number> {
    const { accessToken } = await this.#token()
    const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/fhir+json' }
    const begun = performance.now()
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const length = { 'content-length': bundle.length }
      const sent = request(this.#base, { method: 'POST', agent: this.#agent, headers: { ...headers, ...length } })
      sent.on('error', reject)
      sent.on('response', (response) => {
        const pieces: Buffer[] = []
        response.on('error', reject)
        response.on('data', (piece) => pieces.push(piece))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: `${Buffer.concat(pieces)}` }))
      })
      sent.end(bundle)
    })
    if (status === 200) return performance.now() - begun
    throw new Failure(`A Bundle was answered ${status}: ${text.slice(0, 500)}`, 'Mend what it says.')
  }

  close(): void {
    this.#agent.destroy()
  }
}

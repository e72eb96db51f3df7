import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import Provider from 'oidc-provider'

const scopes = ['system/Patient.read', 'system/Condition.read', 'user/Patient.read']

/** A client that is registered at the foreign issuer. */
export const foreignClient = { id: 'nightly', secret: 'a secret of the test, not of anybody else' } as const
/** The client that Millrace asks the foreign issuer with. */
export const askingClient = { id: 'millrace', secret: 'another secret of the test' } as const

/** An authorization server of somebody else: `oidc-provider`, over real HTTP. */
export class ForeignIssuer {
  readonly issuer: string
  readonly #server: Server

  private constructor(issuer: string, server: Server) {
    this.issuer = issuer
    this.#server = server
  }

  /** `formats` says of each audience whether its tokens are JWTs or opaque. */
  static async start(formats: Readonly<Record<string, 'jwt' | 'opaque'>>): Promise<ForeignIssuer> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { privateKey } = await generateKeyPair('ES256', { extractable: true })
    const key: JWK = { ...(await exportJWK(privateKey)), kid: 'foreign-1', alg: 'ES256', use: 'sig' }
    const machine = {
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: scopes.join(' '),
      token_endpoint_auth_method: 'client_secret_basic' as const,
      id_token_signed_response_alg: 'ES256' as const,
    }
    const provider = new Provider(issuer, {
      clients: [foreignClient, askingClient].map(({ id, secret }) => ({
        client_id: id,
        client_secret: secret,
        ...machine,
      })),
      jwks: { keys: [key as never] },
      scopes,
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        introspection: { enabled: true, allowedPolicy: (_ctx, client) => client.clientId === askingClient.id },
        revocation: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_ctx, audience) => ({
            audience,
            scope: scopes.join(' '),
            accessTokenFormat: formats[audience] ?? 'jwt',
            accessTokenTTL: 300,
            jwt: { sign: { alg: 'ES256' } },
          }),
        },
      },
    })
    server.on('request', provider.callback())
    return new ForeignIssuer(issuer, server)
  }

  /** A token for an audience, by client_credentials. */
  async token(audience: string, scope: string): Promise<string> {
    const answer = await this.post('/token', { grant_type: 'client_credentials', scope, resource: audience })
    return String(((await answer.json()) as { access_token: unknown }).access_token)
  }

  revoke(token: string): Promise<Response> {
    return this.post('/token/revocation', { token })
  }

  async post(path: string, form: Record<string, string>): Promise<Response> {
    const { id, secret } = foreignClient
    const encoded = [id, secret].map((text) => encodeURIComponent(text)).join(':')
    const headers = { authorization: `Basic ${btoa(encoded)}` }
    const answer = await fetch(`${this.issuer}${path}`, { method: 'POST', headers, body: new URLSearchParams(form) })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

import type { FastifySchema } from 'fastify'

/** The groups of routes on the docs page. */
export const tags = {
  Export: 'Start an export, follow it, download its files, delete it.',
  Records: 'FHIR create, read, update and delete of the records that are exported.',
  Audit: 'Who did what: the audit trail of a tenant.',
  Access: 'Access tokens of SMART Backend Services.',
  Discovery: 'What the server can do. Open to everybody.',
  Operation: 'Whether the server works, and this documentation. Open to everybody.',
} as const

/** A JSON schema. It describes and never validates: what a request says is checked by the code, which tells every problem at once. */
export type Schema = Readonly<Record<string, unknown>>

interface Content {
  readonly schema: Schema
  readonly example?: unknown
}

interface Answer {
  readonly says: string
  readonly headers?: Readonly<Record<string, string>>
  /** The body by media type; none without. */
  readonly content?: Readonly<Record<string, Content>>
}

/** What a client developer wants to know of a route. It stands beside the route and becomes a part of `/openapi.json`. */
export interface RouteDescription {
  readonly tag: keyof typeof tags
  /** One line; `details` may have several, in Markdown. */
  readonly summary: string
  readonly details?: string
  /** What the access token must be good for; without it the route is open. */
  readonly token?: string
  /** Headers and query parameters, by name. */
  readonly headers?: Readonly<Record<string, Schema>>
  readonly query?: Readonly<Record<string, Schema>>
  /** The body of the request by media type. An example of it stands in the schema's `examples`. */
  readonly body?: Readonly<Record<string, Schema>>
  readonly answers: Readonly<Record<number, Answer>>
  /** The statuses that are answered with an OperationOutcome, and when; those of every route are added. */
  readonly refusals?: Readonly<Record<number, string>>
}

export const fhirJsonType = 'application/fhir+json'

/** The named schemas of `described-schemas.ts`. */
export const schemaNamed = (name: string): Schema => ({ $ref: `${name}#` })

/** The schema option of a route, from its description. */
export function described(route: RouteDescription): FastifySchema {
  const { tag, summary, details, token, headers, query, body, answers } = route
  const description = [details, token === undefined ? undefined : `**Token:** ${token}.`].filter(Boolean).join('\n\n')
  const refusals = {
    ...everywhere,
    ...(token === undefined ? {} : withToken),
    ...(body ? withBody : {}),
    ...route.refusals,
  }
  return {
    tags: [tag],
    summary,
    ...(description === '' ? {} : { description }),
    ...(token === undefined ? {} : { security: [{ bearer: [] }] }),
    ...(headers ? { headers: { type: 'object', properties: headers } } : {}),
    ...(query ? { querystring: { type: 'object', properties: query } } : {}),
    ...(body ? { body: { content: mapped(body, (schema) => ({ schema })) } } : {}),
    response: {
      ...mapped(refusals, (says) => response({ says, content: outcome })),
      ...mapped(answers, response),
    },
  }
}

/** The schema option of a route that no client developer needs to know: pages, and the 405 of other methods. */
export const undescribed: FastifySchema = { hide: true }

const outcome = { [fhirJsonType]: { schema: schemaNamed('OperationOutcome') } }

/** Refusals that every route may have. */
const everywhere = {
  429: 'Asked too often. Ask again after `Retry-After` seconds.',
  500: 'The server failed; `diagnostics` has the id of the request.',
  503: 'The store cannot be reached. Ask again after `Retry-After` seconds.',
}

/** Refusals of routes that need a token. */
const withToken = {
  401: 'No access token, or one that is not valid or has expired. `WWW-Authenticate` says which.',
  403: 'The token is of another tenant, or lacks a scope.',
  503: 'The issuer of the token cannot be asked now.',
}

/** Refusals of routes with a body. */
const withBody = { 413: 'The body is too large.' }

function response({ says, headers, content }: Answer): Schema {
  return {
    description: says,
    ...(headers ? { headers: mapped(headers, (description) => ({ type: 'string', description })) } : {}),
    ...(content ? { content } : { type: 'null' }),
  }
}

const mapped = <T>(of: Readonly<Record<string, T>>, change: (value: T) => unknown): Record<string, unknown> =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [name, change(value)]))

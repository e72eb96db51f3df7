import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Failure } from '../../failure.ts'

/** Why a request to the administrator API is not answered as wished: the HTTP status, what is wrong, and what to do. */
export class AdminRefusal extends Error {
  readonly status: number
  readonly advice: string

  constructor(status: number, message: string, advice: string) {
    super(message)
    this.status = status
    this.advice = advice
  }
}

/** What the operator can mend, told with a status of the route. */
export const refusalOf = (failure: Failure, status: number): AdminRefusal =>
  new AdminRefusal(status, failure.message, failure.advice)

export const sendJson = (reply: FastifyReply, status: number, body: object): FastifyReply =>
  reply.code(status).type('application/json').send(JSON.stringify(body))

export const sendError = (reply: FastifyReply, { status, message, advice }: AdminRefusal): FastifyReply =>
  sendJson(reply, status, { error: { message, advice } })

/** The JSON object of a request's body. */
export function readBody(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') {
    throw new AdminRefusal(415, 'The body is not application/json.', 'Send JSON with Content-Type: application/json.')
  }
  try {
    const body: unknown = JSON.parse((request.body as Buffer).toString('utf8'))
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>
  } catch {}
  throw new AdminRefusal(400, 'The body is not a JSON object.', 'Send one JSON object.')
}

/** Characters of a text member; the longest is a list of scopes. */
export const textCharsMax = 4096

/** A text member of a body. */
export function textOf(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name]
  if (typeof value === 'string' && value.length <= textCharsMax) return value
  const what = typeof value === 'string' ? 'too long' : 'missing or no text'
  throw new AdminRefusal(
    400,
    `${name} is ${what}.`,
    `Give "${name}" as a JSON string of at most ${textCharsMax} characters.`,
  )
}

/** A member of a body that is true or false, and false when it is left out. */
export function flagOf(body: Readonly<Record<string, unknown>>, name: string): boolean {
  const { [name]: value = false } = body
  if (typeof value === 'boolean') return value
  throw new AdminRefusal(400, `${name} is neither true nor false.`, 'Give a JSON boolean.')
}

/** Refuses members or parameters that nobody would look at. */
export function allowNames(given: object, allowed: readonly string[], what: string): void {
  const unknown = Object.keys(given).find((name) => !allowed.includes(name))
  if (unknown === undefined) return
  throw new AdminRefusal(
    400,
    `The ${what} "${unknown.slice(0, 100)}" is not known.`,
    `Allowed: ${allowed.join(', ') || 'none'}.`,
  )
}

/** Items of a page: when nothing is said, and at most. */
export const adminPageDefault = 50
export const adminPageMax = 500

/** The query of a request, of which each parameter may stand once. */
export function readQuery(
  request: FastifyRequest,
  allowed: readonly string[],
): Readonly<Record<string, string | undefined>> {
  const query = request.query as Record<string, string | string[]>
  allowNames(query, allowed, 'parameter')
  for (const [name, value] of Object.entries(query)) {
    if (/\p{Cc}/u.test(String(value)))
      throw new AdminRefusal(400, `The parameter ${name} has a control character.`, 'Leave it out.')
    if (typeof value !== 'string') throw new AdminRefusal(400, `The parameter ${name} is repeated.`, 'Give it once.')
  }
  return query as Record<string, string>
}

/** How many items a page shall have. */
export function countOf(query: Readonly<Record<string, string | undefined>>): number {
  const { count } = query
  if (count === undefined) return adminPageDefault
  if (/^\d{1,9}$/.test(count) && Number(count) > 0) return Math.min(Number(count), adminPageMax)
  throw new AdminRefusal(
    400,
    'count is no number above 0.',
    `Give a whole number; at most ${adminPageMax} items come at once.`,
  )
}

/** Whether a switch of the query is on. */
export function switchOf(query: Readonly<Record<string, string | undefined>>, name: string): boolean {
  const value = query[name]
  if (value === undefined || value === 'false') return false
  if (value === 'true') return true
  throw new AdminRefusal(400, `${name} is neither true nor false.`, `Write ${name}=true, or leave it out.`)
}

/** A page of a list that was asked for with one item more than it may have: `next` is what `page` has to be for the next one. */
export function pageOf<Item>(items: readonly Item[], count: number, placeOf: (last: Item) => string) {
  const shown = items.slice(0, count)
  return { items: shown, next: items.length > count ? placeOf(shown.at(-1)!) : null }
}

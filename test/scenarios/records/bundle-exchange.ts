import assert from 'node:assert/strict'
import type { Answer } from '../exchange.ts'
import type { Resource } from '../resources.ts'
import type { Caller, ScenarioSuite } from '../suite.ts'

export const json = { 'content-type': 'application/fhir+json' }

export interface Entry {
  readonly fullUrl?: string
  readonly resource?: object
  readonly request: Readonly<Record<string, string>>
}

/** Posts a Bundle. */
export const post = (suite: ScenarioSuite, caller: Caller, type: string, entry: unknown): Promise<Answer> =>
  suite.ask(caller, 'POST', '/', { headers: json, body: JSON.stringify({ resourceType: 'Bundle', type, entry }) })

export const putOf = (resource: Resource, more: Readonly<Record<string, string>> = {}): Entry => ({
  resource,
  request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}`, ...more },
})

/** The Bundle of an answer. */
export const answered = ({ body }: Answer) =>
  JSON.parse(body.toString('utf8')) as {
    type: string
    entry: {
      resource?: Resource
      response: {
        status: string
        location?: string
        etag?: string
        outcome?: { issue: { code: string; details: { text: string }; diagnostics?: string }[] }
      }
    }[]
  }

export const statuses = (answer: Answer): string[] =>
  answered(answer).entry.map(({ response }) => response.status.slice(0, 3))

export const readStatus = async (suite: ScenarioSuite, caller: Caller, path: string) =>
  (await suite.ask(caller, 'GET', path)).status

/** `Type/id` of the record that an entry of the answer is about. */
export function keyAt(answer: Answer, index: number): string {
  const [type, id] = answered(answer).entry[index]!.response.location!.split('/').slice(-4)
  return `${type}/${id}`
}

/** The current text of a record, parsed. */
export async function stored(suite: ScenarioSuite, caller: Caller, key: string) {
  const answer = await suite.ask(caller, 'GET', `/${key}`)
  assert.equal(answer.status, 200, key)
  return JSON.parse(answer.body.toString('utf8'))
}

import assert from 'node:assert/strict'
import type { ScenarioSuite, SuiteTenant } from './suite.ts'

/** A FHIR resource of tiny test data. */
export interface Resource {
  readonly resourceType: string
  readonly id: string
  readonly [member: string]: unknown
}

export const referenceTo = (reference: string) => ({ reference })

export const patient = (id: string): Resource => ({ resourceType: 'Patient', id })

export const condition = (id: string, owner: string, more: object = {}): Resource => ({
  resourceType: 'Condition',
  id,
  subject: referenceTo(`Patient/${owner}`),
  ...more,
})

export const encounter = (id: string, owner: string, more: object = {}): Resource => ({
  resourceType: 'Encounter',
  id,
  status: 'finished',
  class: { code: 'AMB' },
  subject: referenceTo(`Patient/${owner}`),
  ...more,
})

export const observation = (id: string, owner: string, more: object = {}): Resource => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text: 'pulse' },
  subject: referenceTo(`Patient/${owner}`),
  ...more,
})

/** A Provenance that was recorded on a day of January 2024. */
export const provenance = (id: string, targets: readonly string[], day = 1, more: object = {}): Resource => ({
  resourceType: 'Provenance',
  id,
  target: targets.map(referenceTo),
  recorded: `2024-01-${String(day).padStart(2, '0')}T00:00:00Z`,
  agent: [{ who: { display: 'somebody' } }],
  ...more,
})

/** Deletes a record. */
export async function remove(suite: ScenarioSuite, key: string, tenant: SuiteTenant): Promise<void> {
  const answer = await suite.ask(await suite.sharedCaller(tenant), 'DELETE', `/${key}`)
  assert.equal(answer.status, 204, answer.body.toString('utf8'))
}

/** Writes a resource by itself, to the letter: a transaction resolves conditional and urn references, or fails. */
export async function putAlone(
  suite: ScenarioSuite,
  resource: Resource,
  tenant: SuiteTenant = 'clinic',
): Promise<void> {
  const answer = await suite.ask(await suite.sharedCaller(tenant), 'PUT', `/${resource.resourceType}/${resource.id}`, {
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(resource),
  })
  assert.ok(answer.status === 201 || answer.status === 200, answer.body.toString('utf8'))
}

/** Writes resources by one transaction Bundle. Gives each one's `meta.lastUpdated`, by `Type/id`. */
export async function put(
  suite: ScenarioSuite,
  resources: readonly (Resource | string)[],
  tenant: SuiteTenant = 'clinic',
): Promise<ReadonlyMap<string, string>> {
  const entries = resources.map((resource) => {
    const text = typeof resource === 'string' ? resource : JSON.stringify(resource)
    const { resourceType, id } = JSON.parse(text) as Resource
    return { key: `${resourceType}/${id}`, text }
  })
  const texts = entries.map(({ key, text }) => `{"resource":${text},"request":{"method":"PUT","url":"${key}"}}`)
  const answer = await suite.ask(await suite.sharedCaller(tenant), 'POST', '/', {
    headers: { 'content-type': 'application/fhir+json' },
    body: `{"resourceType":"Bundle","type":"transaction","entry":[${texts.join(',')}]}`,
  })
  assert.equal(answer.status, 200, answer.body.toString('utf8'))
  const { entry } = JSON.parse(answer.body.toString('utf8')) as { entry: { response: { lastModified: string } }[] }
  return new Map(entries.map(({ key }, index) => [key, entry[index]!.response.lastModified]))
}

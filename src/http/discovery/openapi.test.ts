import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { after, before, test } from 'node:test'
import type { FastifyInstance, RouteOptions } from 'fastify'
import pino from 'pino'
import { documentedTypes } from '../../fhir/resource-types.ts'
import { profiles } from '../../protocol/profile.ts'
import { grantFor } from '../../protocol/request/parse-request.fixture.ts'
import { parseExportRequest } from '../../protocol/request/parse-request.ts'
import { noMeter } from '../../telemetry/meter.ts'
import type { HttpContext } from '../context.ts'
import { tags } from '../description.ts'
import { buildServer } from '../server.ts'

interface Response {
  readonly description?: string
  readonly content?: Readonly<
    Record<string, { readonly schema?: { readonly $ref?: string }; readonly example?: unknown }>
  >
}
interface Operation {
  readonly tags?: readonly string[]
  readonly summary?: string
  readonly security?: readonly object[]
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly description?: string }[]
  readonly responses: Readonly<Record<string, Response>>
}
interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, { readonly examples?: readonly object[] }>> }
}

let app: FastifyInstance
let document: Document
const routes: RouteOptions[] = []

/** The server without anything behind it: only what is answered before a route does its work can be asked. */
const hl7 = { profile: 'hl7', strict: false, referenceWalk: 'one-hop' }
const directory = { tenant: async (id: string) => (id === 'hl7' ? hl7 : undefined) }
const audit = { note: () => {} }
const about = { version: '1.2.3', publicUrl: 'https://fhir.example.org' }
const context = { ...about, directory, audit, meter: noMeter } as unknown as HttpContext

before(async () => {
  // Every route counts, whoever registers it and when: the hook is there before the server has any.
  const watch = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', (route) => void routes.push(route))
  }
  subscribe('fastify.initialization', watch)
  app = buildServer(context, pino({ level: 'silent' }))
  unsubscribe('fastify.initialization', watch)
  await app.ready()
  document = (await app.inject('/openapi.json')).json()
})
after(() => app.close())

/** A path as the document writes it. */
const templateOf = (url: string): string => url.replace(/:(\w+)/g, '{$1}').replace(/(?<=.)\/$/, '')
const isHidden = ({ schema }: RouteOptions): boolean => (schema as { hide?: boolean } | undefined)?.hide === true
const methodsOf = ({ method }: RouteOptions): string[] => [method].flat()
const operations = (): [string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  )

test('the document has every route and method, and no other', () => {
  assert.equal(document.openapi, '3.1.0')
  const registered = routes
    .filter((route) => !isHidden(route) && route.url !== '*')
    .flatMap((route) => methodsOf(route).map((method) => `${method} ${templateOf(route.url)}`))
  const described = operations().map(([name]) => name)
  const get = new Set(described.filter((name) => name.startsWith('GET ')))
  const expected = new Set(registered.filter((name) => !get.has(name.replace(/^HEAD /, 'GET '))).concat([...get]))
  assert.deepEqual(
    described.filter((name) => !name.startsWith('HEAD ')).sort(),
    [...expected].filter((name) => !name.startsWith('HEAD ')).sort(),
    'a route has no description: give it the schema option, described({ … })',
  )
  assert.ok(described.length > 20)
})

test('what the document does not tell is the pages of /docs, administration, and 405 with the methods that it does tell', async () => {
  const hidden = routes.filter((route) => isHidden(route) && route.url !== '*' && !/^\/(docs|admin)/.test(route.url))
  assert.ok(hidden.length > 10)
  for (const route of hidden) {
    for (const method of methodsOf(route)) {
      // Only the profile hl7 starts exports by all methods that the document tells.
      const url = route.url.replace('/:tenant', '/hl7').replace(/:\w+/g, 'x')
      const answer = await app.inject({ method: method as 'PUT', url })
      const told = Object.keys(document.paths[templateOf(route.url)] ?? {}).map((name) => name.toUpperCase())
      assert.equal(answer.statusCode, 405, `${method} ${url}`)
      const allowed = String(answer.headers.allow).split(', ')
      assert.deepEqual(new Set([...allowed, 'HEAD']), new Set([...told, 'HEAD']), `${method} ${url}`)
    }
  }
})

test('each operation tells what it is for, what it answers, and when it refuses', () => {
  for (const [name, { tags: [tag = ''] = [], summary, security, responses, parameters = [] }] of operations()) {
    assert.ok(tag in tags, `${name} has no description: give its route the schema option, described({ … })`)
    assert.ok(summary, name)
    assert.ok(
      Object.keys(responses).some((status) => Number(status) < 400),
      name,
    )
    for (const [status, { description, content }] of Object.entries(responses)) {
      assert.ok(description && description !== 'Default Response', `${name} ${status}`)
      if (Number(status) >= 400) assert.ok(content, `${name} ${status} has a body`)
    }
    for (const status of security ? ['401', '403', '500'] : ['500']) assert.ok(responses[status], `${name} ${status}`)
    const inPath = parameters.filter((parameter) => parameter.in === 'path')
    assert.deepEqual(
      inPath.map((parameter) => parameter.name),
      [...name.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter),
    )
    for (const { description } of inPath) assert.ok(description, `${name}: its path`)
  }
})

test('every reference leads to a schema, and every schema is used', () => {
  const text = JSON.stringify(document)
  const used = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, schema]) => schema))
  assert.deepEqual([...used].sort(), Object.keys(document.components.schemas).sort())
  assert.ok(!text.includes('def-'))
})

test('the example of a kick-off is one that is accepted', () => {
  const [example] = document.components.schemas.ExportParameters!.examples!
  const headers = { accept: 'application/fhir+json', contentType: 'application/json', prefer: ['respond-async'] }
  const input = {
    level: 'patient' as const,
    headers,
    query: {},
    base: 'https://fhir.example.org/r4/x',
    body: JSON.stringify(example),
  }
  assert.ok('request' in parseExportRequest(input, grantFor(documentedTypes), profiles.millennium))
})

test('the docs page loads nothing from elsewhere, and its policy forbids it', async () => {
  const page = await app.inject('/docs/')
  assert.equal(page.statusCode, 200)
  const policy = String(page.headers['content-security-policy'])
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/)
  assert.ok(!/https?:|unsafe|\*/.test(policy), policy)
  const loaded = [...page.body.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, url]) => url!)
  assert.ok(loaded.length >= 5)
  for (const url of loaded) {
    assert.match(url, /^\.\/static\//)
    const asset = await app.inject(`/docs/${url}`)
    assert.equal(asset.statusCode, 200, url)
    assert.equal(asset.headers['content-security-policy'], policy, url)
  }
  const script = await app.inject('/docs/static/swagger-initializer.js')
  assert.ok(!/https?:\/\/(?!stackoverflow)/.test(script.body), 'no URL but in a comment')
  assert.deepEqual((await app.inject('/docs/json')).json(), document)
})

test('the schemas of the document change nothing: neither a request nor an answer', async () => {
  const refused = await app.inject({ method: 'POST', url: '/r4/x/Patient/$export', body: '{}' })
  assert.equal(refused.statusCode, 401)
  assert.equal(refused.json().resourceType, 'OperationOutcome')
  assert.deepEqual((await app.inject('/livez')).json(), { status: 'ok' })
})

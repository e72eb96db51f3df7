import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { anyBody, anyHeader } from '../src/protocol/request/parse-request.fixture.ts'
import type { Answer } from './scenarios/exchange.ts'
import { minimalPatient, requiredHeaders } from './scenarios/kick-off.ts'
import { outcomeOf } from './scenarios/outcome.ts'
import { patient, put } from './scenarios/resources.ts'
import { type Caller, ScenarioSuite } from './scenarios/suite.ts'

const runs = { numRuns: 400 }

let suite: ScenarioSuite
let callers: readonly Caller[]
before(async () => {
  suite = await ScenarioSuite.open()
  await put(suite, [patient(minimalPatient)])
  callers = [await suite.newCaller('clinic'), await suite.newCaller('textbook'), await suite.newCaller('commons')]
})
after(() => suite.close())

/** What a client can send in a header: Node refuses everything else, and so do HTTP proxies. */
const sendable = (text: string): string => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '')

const headers = fc.record(
  { accept: anyHeader, 'content-type': anyHeader, prefer: fc.array(anyHeader, { maxLength: 3 }) },
  { requiredKeys: [] },
)
const bytes = fc.oneof(
  anyBody.map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
)
const query = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.webQueryParameters().map((text) => `?${text}`) },
)
const id = fc.oneof(
  fc.uuid(),
  fc.constantFrom(minimalPatient, '.', '..', '%00', '%2e%2e', '%2F', "'", '$export'),
  fc.webSegment(),
)

/** A path that routes can see: what cannot be decoded is answered before them. */
const decodable = (path: string): boolean => {
  try {
    decodeURIComponent(path)
    return path.split('/').every((segment) => segment.length <= 64)
  } catch {
    return false
  }
}

/** No request is the server's fault, and every refusal says why: `ScenarioSuite.send` has checked ids and OperationOutcome. */
async function checkAnswer(caller: Caller, answer: Answer): Promise<void> {
  assert.ok(answer.status < 500, answer.body.toString('utf8'))
  if (answer.status >= 400) assert.ok(outcomeOf(answer).length > 0)
  const job = answer.headers['content-location']
  if (answer.status === 202 && job !== undefined) {
    assert.equal((await suite.ask(caller, 'DELETE', String(job))).status, 202)
  }
}

const anyCaller = fc.nat(2).map((index) => () => callers[index]!)

test('any headers and body of a kick-off have an answer below 500', async () => {
  const kickOff = fc.record({ headers, bytes, query, wild: fc.boolean(), callerOf: anyCaller })
  await fc.assert(
    fc.asyncProperty(kickOff, async ({ headers, bytes, query, wild, callerOf }) => {
      const caller = callerOf()
      const { accept, 'content-type': contentType, prefer } = { ...requiredHeaders, ...(wild ? headers : {}) }
      const sent = {
        accept: sendable(accept),
        'content-type': sendable(contentType),
        prefer: [prefer].flat().map(sendable),
      }
      const more = { headers: sent, body: bytes }
      await checkAnswer(caller, await suite.ask(caller, 'POST', `/Patient/$export${query}`, more))
    }),
    runs,
  )
})

test('any path, method and body below a tenant has an answer below 500', async () => {
  const paths = fc.oneof(
    fc.tuple(id, query).map(([name, search]) => `/Group/${name}/$export${search}`),
    id.map((name) => `/bulk-export/jobs/${name}`),
    id.map((name) => `/bulk-export/files/${name}`),
    fc
      .tuple(fc.constantFrom('Condition', 'Patient', 'Binary', 'condition'), id)
      .map(([type, name]) => `/${type}/${name}`),
    fc.tuple(id, fc.nat()).map(([name, version]) => `/Patient/${name}/_history/${version}`),
    fc.constantFrom('/', '/Condition', '/Patient', '/metadata', '/.well-known/smart-configuration'),
    fc.array(id, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`),
  )
  const anything = fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH'),
    path: paths.filter(decodable),
    bytes,
    callerOf: anyCaller,
  })
  await fc.assert(
    fc.asyncProperty(anything, async ({ method, path, bytes, callerOf }) => {
      const caller = callerOf()
      const more = { headers: requiredHeaders, body: bytes }
      const answer = await suite.ask(caller, method, path, method === 'GET' ? { headers: requiredHeaders } : more)
      await checkAnswer(caller, answer)
    }),
    runs,
  )
})

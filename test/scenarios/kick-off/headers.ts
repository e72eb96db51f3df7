import assert from 'node:assert/strict'
import { decodeJwt } from 'jose'
import { exchange } from '../exchange.ts'
import type { RequestRow, Scenario } from '../scenario.ts'
import type { Caller, ScenarioSuite } from '../suite.ts'

type Headers = NonNullable<NonNullable<RequestRow['change']>['headers']>

const accepted = (t: number, rule: string, does: string, headers: Headers): RequestRow => ({
  t: [t],
  rules: [rule],
  does,
  change: { headers },
  status: 202,
})

/** What Oracle requires and the IG leaves out. */
const optionalInHl7 = (row: RequestRow): RequestRow => ({ ...row, hl7: { status: 202 } })

const refused = (
  t: number,
  rule: string,
  does: string,
  status: 400 | 406 | 415,
  headers: Headers,
  fine?: RequestRow['fine'] & string,
): RequestRow => ({
  t: [t],
  rules: [rule],
  does,
  change: { headers },
  status,
  code: 'invalid',
  ...(fine === undefined ? {} : { fine }),
})

const invalidToken = /error="invalid_token"/

/** A token that must not be believed. */
const untrusted = (
  does: string,
  authorization: (suite: ScenarioSuite, caller: Caller) => Promise<string>,
  answers: RequestRow['answers'] & {} = { 'www-authenticate': invalidToken },
): RequestRow => ({
  t: [136],
  rules: ['S-16', 'B4'],
  does,
  change: { authorization: async (suite, caller) => `Bearer ${await authorization(suite, caller)}` },
  status: 401,
  code: 'login',
  fine: 'unknown',
  answers,
})

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

async function tampered(_suite: ScenarioSuite, { token }: Caller): Promise<string> {
  const [header, , signature] = token.split('.')
  return `${header}.${part({ ...decodeJwt(token), scope: 'system/*.cruds' })}.${signature}`
}

const notAllowed = (method: string, t: readonly number[], does: string, path = '/Patient/$export'): RequestRow => ({
  t,
  rules: ['S-1', '§2.6'],
  does,
  change: { method, path, body: null },
  status: 405,
  code: 'not-supported',
  answers: { allow: /^POST$/ },
  hl7: { status: 405, answers: { allow: /^GET, POST$/ } },
})

/** Whether an unknown parameter is ignored tells what the server has understood; of a repeated preference the first counts. */
const leniently = (prefer: readonly string[], status: 202 | 400): RequestRow => ({
  t: [148],
  rules: ['S-13', 'RFC 7240'],
  does: `Prefer: ${prefer.join(' and ')}, with an unknown parameter`,
  change: { headers: { prefer }, parameters: [{ name: 'foo', valueString: 'bar' }] },
  status,
  ...(status === 202 ? { warnings: ['not-supported'] } : { code: 'invalid', fine: 'not-supported' }),
})

/** T-133…T-154: headers, tokens and methods. */
export const headerScenarios: readonly Scenario[] = [
  {
    t: [133],
    rules: ['S-16', 'B26'],
    does: 'no Authorization',
    change: { authorization: async () => undefined },
    status: 401,
    code: 'login',
    fine: 'login',
    answers: { 'www-authenticate': /^Bearer realm="[^"]+"$/ },
  },
  ...['Basic dXNlcjpwYXNz', 'Bearer', 'Bearer a b', 'Bearer {}'].map(
    (text): RequestRow => ({
      t: [134],
      rules: ['S-16'],
      does: `Authorization: ${text}`,
      change: { authorization: async () => text },
      status: 401,
      code: 'login',
      fine: 'unknown',
    }),
  ),
  {
    t: [135],
    rules: ['S-16'],
    does: 'an expired token',
    change: {
      authorization: async (suite, caller) =>
        `Bearer ${await suite.signedToken(caller, {}, { now: new Date(Date.now() - 3_600_000) })}`,
    },
    status: 401,
    code: 'expired',
    fine: 'expired',
    answers: { 'www-authenticate': invalidToken },
  },
  untrusted('a token with other claims under its signature', tampered),
  untrusted('a token of an unknown key', (suite, caller) =>
    suite.signedToken(caller, {}, { keys: { kid: 'not-ours' } }),
  ),
  untrusted('a token of another issuer', (suite, caller) =>
    suite.signedToken(caller, {}, { publicUrl: 'https://issuer.example.org' }),
  ),
  untrusted('a token of a client that is not registered', (suite, caller) =>
    suite.signedToken(caller, { client: '00000000-0000-4000-8000-000000000000' }),
  ),
  untrusted('a token with alg none', async (_suite, { token }) => `${part({ alg: 'none' })}.${token.split('.')[1]}.`),
  {
    t: [137],
    rules: ['S-52', '§2.6'],
    does: 'a token of another tenant',
    change: { to: 'neighbour' },
    status: 403,
    code: 'forbidden',
    fine: 'forbidden',
  },
  {
    t: [138],
    rules: ['S-52', '§9'],
    does: 'an unknown tenant in the path',
    change: { to: 'nowhere' },
    status: 403,
    code: 'forbidden',
    fine: 'forbidden',
  },
  refused(139, 'S-15', 'Accept: application/fhir+xml', 406, { accept: 'application/fhir+xml' }, 'not-supported'),
  refused(139, 'S-15', 'Accept: text/html', 406, { accept: 'text/html' }, 'not-supported'),
  refused(
    139,
    'S-15',
    'Accept: application/fhir+json;q=0',
    406,
    { accept: 'application/fhir+json;q=0' },
    'not-supported',
  ),
  refused(140, 'S-15', 'Accept: application/fhir+ndjson', 406, { accept: 'application/fhir+ndjson' }, 'not-supported'),
  accepted(141, 'S-14', 'Accept: */*', { accept: '*/*' }),
  accepted(141, 'S-14', 'Accept: APPLICATION/JSON', { accept: 'APPLICATION/JSON' }),
  accepted(141, 'S-14', 'Accept with weights', { accept: 'application/fhir+json;q=0.9, */*;q=0.1' }),
  accepted(141, 'S-14', 'Accept with fhirVersion=4.0', { accept: 'application/fhir+json; fhirVersion=4.0' }),
  refused(
    142,
    'S-14',
    'Accept with fhirVersion=3.0',
    406,
    { accept: 'application/fhir+json; fhirVersion=3.0' },
    'not-supported',
  ),
  optionalInHl7(refused(143, 'K6', 'no Accept', 406, { accept: null })),
  accepted(144, 'S-17', 'Content-Type: application/json+fhir', { 'content-type': 'application/json+fhir' }),
  accepted(144, 'S-17', 'Content-Type: application/json; charset=utf-8', {
    'content-type': 'application/json; charset=utf-8',
  }),
  ...[
    'application/fhir+xml',
    'text/plain',
    'application/x-www-form-urlencoded',
    'nonsense',
    'application/json-patch+json',
  ].map((type) => refused(145, 'S-17', `Content-Type: ${type}`, 415, { 'content-type': type }, 'not-supported')),
  refused(145, 'S-17', 'no Content-Type', 415, { 'content-type': null }, 'not-supported'),
  optionalInHl7(refused(146, 'K7', 'no Prefer', 400, { prefer: null })),
  optionalInHl7(refused(147, 'S-18', 'Prefer: return=minimal', 400, { prefer: 'return=minimal' })),
  accepted(148, 'S-13', 'Prefer: respond-async, handling=lenient', { prefer: 'respond-async, handling=lenient' }),
  accepted(148, 'S-13', 'two Prefer headers', { prefer: ['handling=lenient', 'respond-async'] }),
  accepted(148, 'S-13', 'Prefer in upper case', { prefer: 'RESPOND-ASYNC, HANDLING=LENIENT' }),
  accepted(148, 'S-13', 'Prefer: respond-async, handling="lenient"', { prefer: 'respond-async, handling="lenient"' }),
  optionalInHl7(refused(149, 'K7', 'Prefer: handling=lenient alone', 400, { prefer: 'handling=lenient' })),
  accepted(150, 'RFC 7240', 'Prefer: respond-async; wait=10', { prefer: 'respond-async; wait=10' }),
  ...[
    'wait=10 , Respond-Async',
    ', ,respond-async,,',
    'foo="a, handling=strict", respond-async',
    'respond-async=""; x="\\", y"',
    ['return=minimal', 'foo', 'respond-async;q'],
  ].map((prefer) => accepted(150, 'RFC 7240', `Prefer: ${[prefer].flat().join(' and ')}`, { prefer })),
  ...[
    '"respond-async"',
    'foo="respond-async"',
    'foo; respond-async',
    'foo="bar, respond-async',
    'respond-asynchronously',
  ].map((prefer) => optionalInHl7(refused(147, 'RFC 7240', `Prefer: ${prefer}`, 400, { prefer }))),
  ...[
    ['respond-async, handling = LENIENT'],
    ['handling="lenient";x=y', 'respond-async'],
    ['respond-async, handling="le\\nient"', 'handling=strict'],
  ].map((prefer) => leniently(prefer, 202)),
  ...[
    ['respond-async, handling=strict', 'handling=lenient'],
    ['respond-async; handling=lenient'],
    ['respond-async, foo="handling=lenient"'],
    ['respond-async, handling=lenient2'],
  ].map((prefer) => leniently(prefer, 400)),
  accepted(151, 'S-4', 'Accept-Language: fr', { 'accept-language': 'fr' }),
  {
    t: [],
    rules: ['S-54'],
    does: 'a foreign Host header: URLs are built from the public base',
    change: { headers: { host: 'evil.example.org' } },
    status: 202,
  },
  {
    ...notAllowed('GET', [152], 'GET Patient/$export'),
    change: { method: 'GET', body: null, scope: 'system/Goal.read' },
    hl7: { status: 202 },
  },
  notAllowed('PUT', [153], 'PUT Patient/$export'),
  notAllowed('DELETE', [153], 'DELETE Patient/$export'),
  notAllowed('PATCH', [153], 'PATCH Patient/$export'),
  {
    ...notAllowed('GET', [152], 'GET Patient/$export without a token: the method is checked first'),
    change: { method: 'GET', body: null, authorization: async () => undefined },
    hl7: { status: 401, code: 'login' },
  },
  {
    t: [153],
    rules: ['S-1'],
    does: 'HEAD and OPTIONS of Patient/$export',
    outcome: '405 without a body; 204',
    run: async (suite) => {
      const url = `${suite.base('clinic')}/Patient/$export`
      const head = await exchange({ method: 'HEAD', url, headers: {} })
      assert.deepEqual([head.status, head.headers.allow, head.body.length], [405, 'POST', 0])
      const options = await exchange({ method: 'OPTIONS', url, headers: {} })
      assert.deepEqual([options.status, options.body.length], [204, 0])
      for (const { headers } of [head, options]) assert.equal(headers['x-request-id'], headers['opc-request-id'])
    },
  },
  {
    t: [154],
    rules: ['S-1'],
    does: 'POST Patient/%24export',
    change: { path: '/Patient/%24export' },
    status: 202,
  },
  {
    t: [],
    rules: ['§2.6'],
    does: 'no token, a wrong Accept and a body that is not JSON: the token is checked first',
    change: { authorization: async () => undefined, headers: { accept: 'text/html' }, body: 'x' },
    status: 401,
    code: 'login',
    fine: 'login',
  },
  {
    t: [],
    rules: ['§2.6'],
    does: 'a wrong Accept, a wrong Content-Type, no Prefer and no patient: Accept is checked first',
    change: { headers: { accept: 'text/html', 'content-type': 'text/plain', prefer: null }, patients: [] },
    status: 406,
    code: 'invalid',
    fine: 'not-supported',
  },
  {
    t: [],
    rules: ['§2.6'],
    does: 'a wrong Content-Type, no Prefer and no patient: Content-Type is checked first',
    change: { headers: { 'content-type': 'text/plain', prefer: null }, patients: [] },
    status: 415,
    code: 'invalid',
    fine: 'not-supported',
  },
  {
    t: [],
    rules: ['§2.6'],
    does: 'a missing scope and an unknown parameter: the body is checked first',
    change: {
      scope: 'system/Observation.read',
      parameters: [
        { name: '_type', valueString: 'Condition' },
        { name: 'foo', valueString: 'bar' },
      ],
    },
    status: 400,
    code: 'invalid',
    fine: 'not-supported',
  },
  {
    t: [],
    rules: ['§2.6'],
    does: 'a missing scope and an unknown patient: the scope is checked first',
    change: {
      scope: 'system/Observation.read',
      patients: [{ name: 'patient', valueReference: { reference: 'Patient/nobody' } }],
      parameters: [{ name: '_type', valueString: 'Condition' }],
    },
    status: 403,
    code: 'forbidden',
    fine: 'forbidden',
  },
  {
    t: [191],
    rules: ['S-56', 'S-57'],
    does: 'a path that leads nowhere: also this answer carries X-Request-Id and opc-request-id',
    change: { method: 'GET', path: '/no/such/path/at/all', body: null },
    status: 404,
    code: 'not-found',
    fine: 'not-found',
  },
]

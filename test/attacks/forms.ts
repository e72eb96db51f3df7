import { exchange } from '../scenarios/exchange.ts'
import { basic, tokenForm } from '../token-request.ts'
import { type Attack, ask, endpointOf, goodAssertion, type Target } from './target.ts'

const request = (
  does: string,
  answer: string,
  change: (form: string, target: Target) => string,
  headers: Readonly<Record<string, string>> = {},
): Attack => ({
  does: `token request: ${does}`,
  answer,
  send: async (target) => ask(target, change(tokenForm(await goodAssertion(target)), target), headers),
})

const withSecret = (does: string, answer: string, credentials: (target: Target) => string, form = ''): Attack => ({
  does: `HTTP Basic: ${does}`,
  answer,
  send: (target) => {
    const body = `grant_type=client_credentials&scope=system/Patient.read${form}`
    return ask(target, body, { authorization: credentials(target) })
  },
})

const grantTypes = [
  'password',
  'authorization_code',
  'refresh_token',
  'implicit',
  'CLIENT_CREDENTIALS',
  'client_credentials ',
]

/** Attacks on the token endpoint by its form and headers. */
export const formAttacks: readonly Attack[] = [
  ...['grant_type', 'scope', 'client_assertion', 'client_assertion_type', 'x'].map((name) =>
    request(`${name} twice`, '400 invalid_request', (form) => `${form}&${name}=a&${name}=a`),
  ),
  ...grantTypes.map((type) =>
    request(`grant_type ${JSON.stringify(type)}`, '400 unsupported_grant_type', (form) =>
      form.replace('grant_type=client_credentials', new URLSearchParams({ grant_type: type }).toString()),
    ),
  ),
  request('another assertion type', '400 invalid_request', (form) => form.replace('jwt-bearer', 'saml2-bearer')),
  request(
    'client_id of another client',
    '401 invalid_client',
    (form, { neighbour }) => `${form}&client_id=${neighbour.id}`,
  ),
  request('a client_secret beside the assertion', '401 invalid_client', (form) => `${form}&client_secret=x`),
  request('scopes of another type only', '400 invalid_scope', (form) => form.replace('Patient', 'Observation')),
  request('a wildcard of what is not registered', '400 invalid_scope', (form) =>
    form.replace('Patient.read', '*.write'),
  ),
  request('user/ scopes only', '400 invalid_scope', (form) => form.replace('system', 'user')),
  request('a scope that splits headers', '400 invalid_scope', (form) =>
    form.replace('system%2FPatient.read', 'a%0D%0AX-Evil:%201'),
  ),
  request('a scope of 4,097 characters', '400 invalid_scope', (form) =>
    form.replace('Patient.read', 'x'.repeat(4_090)),
  ),
  request('a broken escape', '400 invalid_scope', (form) => form.replace('system%2FPatient.read', '%zz%00')),
  request('a body of JSON', '400 invalid_request', () => '{}', { 'content-type': 'application/json' }),
  request('multipart', '400 invalid_request', (form) => form, { 'content-type': 'multipart/form-data; boundary=x' }),
  request('a body of 100 kB', '413 invalid_request', (form) => `${form}&x=${'x'.repeat(100_000)}`),
  {
    does: 'token request: everything in the URL',
    answer: '400 invalid_request',
    send: async (target) => {
      const url = `${endpointOf(target)}?${tokenForm(await goodAssertion(target))}`
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      return exchange({ method: 'POST', url, headers, body: '' })
    },
  },
  {
    does: "token request: at another tenant's endpoint",
    answer: '401 invalid_client',
    send: async (target) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const body = tokenForm(await goodAssertion(target))
      return exchange({ method: 'POST', url: endpointOf(target, 'neighbour'), headers, body })
    },
  },
  withSecret('a wrong secret', '401 invalid_client', ({ secretClient }) => basic(secretClient.id, 'guess')),
  withSecret('an empty secret', '401 invalid_client', ({ secretClient }) => basic(secretClient.id, '')),
  withSecret('an unknown client', '401 invalid_client', () => basic('00000000-0000-0000-0000-000000000000', 'guess')),
  withSecret('a client id with SQL', '401 invalid_client', () => basic("' or 1=1 --", 'guess')),
  withSecret('a client that has keys', '401 invalid_client', ({ client }) => basic(client.id, 'guess')),
  withSecret('no base64', '401 invalid_client', () => 'Basic ???'),
  withSecret('a colon is missing', '401 invalid_client', ({ secretClient }) => `Basic ${btoa(secretClient.id)}`),
  withSecret('another scheme', '401 invalid_client', ({ token }) => `Bearer ${token}`),
  withSecret('10 kB of credentials', '401 invalid_client', () => basic('a', 'x'.repeat(10_000))),
  withSecret(
    'right, with an assertion beside it',
    '400 invalid_request',
    ({ secretClient }) => basic(secretClient.id, secretClient.secret),
    '&client_assertion=x',
  ),
]

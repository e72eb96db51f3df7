import assert from 'node:assert/strict'
import { isTenantId } from '../../src/access/registry/tenant.ts'
import { isId } from '../../src/fhir/reference.ts'
import { type Attack, bearer, pathOf, send, type Target } from './target.ts'

/** Where a path has a part that the caller chooses: `{}`. */
const places: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/r4/{}/metadata'],
  ['GET', '/r4/{}/.well-known/smart-configuration'],
  ['GET', '/r4/{}/OperationDefinition/patient-export'],
  ['GET', '/oauth2/{}/jwks'],
  ['POST', '/oauth2/{}/token'],
  ['POST', '/r4/{}/Patient/$export'],
  ['POST', '/r4/{}'],
  ['GET', '/r4/clinic/bulk-export/jobs/{}'],
  ['DELETE', '/r4/clinic/bulk-export/jobs/{}'],
  ['GET', '/r4/clinic/bulk-export/files/{}'],
  ['GET', '/content/{}'],
  ['GET', '/r4/clinic/Group/{}/$export'],
  ['GET', '/r4/clinic/Patient/{}'],
  ['PUT', '/r4/clinic/Patient/{}'],
  ['DELETE', '/r4/clinic/Patient/{}'],
  ['GET', '/r4/clinic/{}/victim'],
  ['POST', '/r4/clinic/{}'],
  ['GET', '/r4/clinic/Patient/victim/_history/{}'],
  ['GET', '/{}'],
]

const values: readonly string[] = [
  '../../../../etc/passwd',
  '..%2f..%2f..%2f..%2fetc%2fpasswd',
  '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '..%252f..%252fetc%252fpasswd',
  '..%5c..%5cetc%5cpasswd',
  '..\\..\\etc\\passwd',
  '..;/..;/etc/passwd',
  '%c0%ae%c0%ae%c0%af',
  'file:///etc/passwd',
  'victim%00',
  '%00',
  'victim%00.ndjson.gz',
  '%0d%0aX-Injected:%20yes',
  '%0aX-Injected:%20yes',
  '%e5%98%8a%e5%98%8dX-Injected:%20yes',
  "'%20or%201=1;--",
  '%27%3bselect%20pg_sleep(9)--',
  '$%7bjndi:ldap://127.0.0.1/x%7d',
  '__proto__',
  'constructor',
  'toString',
  '%',
  '%zz',
  '%ff%fe',
  '*',
  '.',
  '..',
  'x'.repeat(101),
  'x'.repeat(20_000),
  '%2e'.repeat(5_000),
  '\u00e4',
]

/** Some of the values are ids or types that somebody could have: they may be found to be there or not, like others. */
function isHonest(value: string): boolean {
  try {
    return isId(decodeURIComponent(value))
  } catch {
    return false
  }
}

function isTenant(value: string): boolean {
  try {
    return isTenantId(decodeURIComponent(value))
  } catch {
    return false
  }
}

async function assertHarmless(target: Target, method: string, path: string, value: string): Promise<void> {
  const answer = await send(target, method, path.replace('{}', value), bearer(target.owner))
  const about = `${method} ${path} with ${JSON.stringify(value.slice(0, 40))}: ${answer.status}`
  assert.ok(answer.status < 500, about)
  // Public documents are the same for every name that a tenant can have, and for others there are none.
  const open = /metadata|well-known|OperationDefinition|jwks/.test(path)
  if (open ? !isTenant(value) : !isHonest(value)) assert.ok(answer.status >= 400, about)
  assert.equal(answer.headers['x-injected'], undefined, about)
  const text = answer.body.toString('latin1')
  assert.doesNotMatch(text, /root:|\/etc\/passwd.*:|at .*\.ts:\d|select |syntax error/, about)
}

/** Traversal, injection and nonsense in every part of a path. */
export const pathAttacks: readonly Attack[] = [
  ...places.map(
    ([method, path]): Attack => ({
      against: 'files of the machine, headers, the database',
      attack: `${values.length} hostile values in ${method} ${path}`,
      run: async (target) => {
        for (const value of values) await assertHarmless(target, method, path, value)
      },
    }),
  ),
  {
    against: 'URLs in answers',
    attack: 'names that no tenant can have: 404 in every place, and no document that bends a URL',
    run: async (target) => {
      for (const value of ['%2e%2e', '..%2fb', '%2e', 'a%2fb', 'a%20b', 'a%3fb', '%25', 'x'.repeat(65)]) {
        for (const [method, path] of places) {
          if (!/^\/(r4|oauth2)\/\{\}/.test(path)) continue
          const answer = await send(target, method, path.replace('{}', value))
          assert.equal(answer.status, 404, `${method} ${path} with ${value}`)
        }
      }
    },
  },
  {
    against: 'memory',
    attack: 'a query of 20,000 parameters, and one of a single long value',
    run: async (target) => {
      const queries = [Array.from({ length: 4_000 }, (_, index) => `a${index}=1`).join('&'), `x=${'y'.repeat(25_000)}`]
      for (const query of queries) {
        for (const path of ['/r4/clinic/Patient/$export', '/r4/clinic/Group/1/$export', '/livez']) {
          const method = path.includes('Patient') ? 'POST' : 'GET'
          const { status } = await send(target, method, `${path}?${query}`, bearer(target.owner))
          assert.ok(status < 500 && status !== 202, `${method} ${path}: ${status}`)
        }
      }
    },
  },
  {
    against: 'prototypes',
    attack: 'query parameters named __proto__, constructor and hasOwnProperty',
    run: async (target) => {
      for (const name of ['__proto__', 'constructor', 'hasOwnProperty', '__proto__[x]', 'constructor.prototype.x']) {
        const path = `/r4/clinic/Group/1/$export?${name}=1&${name}=2`
        const headers = { ...bearer(target.owner), accept: 'application/fhir+json', prefer: 'respond-async' }
        assert.equal((await send(target, 'GET', path, headers)).status, 400, name)
        const link = `${pathOf(target.link)}&${name}=1`
        assert.equal((await send(target, 'GET', link)).status, 200, 'what is not signed for does not count')
      }
    },
  },
]

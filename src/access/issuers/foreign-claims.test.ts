import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readForeignClaims } from './foreign-claims.ts'

const here = { audience: 'https://millrace.example/r4/clinic', foreignTenant: 'tenant-1' }
const oracle = { audience: undefined, foreignTenant: 'tenant-1' }
const plain = { aud: here.audience, client_id: 'app', scope: 'system/Patient.read system/Goal.read' }
const holder = { client: 'app', scopes: ['system/Patient.read', 'system/Goal.read'] }
const azs = 'system/Patient.read system/Goal.read'
const cerner = 'urn:com:cerner:authorization:claims'
const cerner1 = 'urn:cerner:authorization:claims:version:1'

for (const [what, claims, rule, expected] of [
  ['ordinary claims', plain, here, holder],
  ['an aud in a list', { ...plain, aud: ['x', here.audience] }, here, holder],
  ['scopes in a list', { ...plain, scope: ['system/Patient.read', 'system/Goal.read'] }, here, holder],
  ['scp', { ...plain, scope: undefined, scp: ['system/Patient.read', 'system/Goal.read'] }, here, holder],
  ['no scope', { ...plain, scope: undefined }, here, { client: 'app', scopes: [] }],
  ['a scope that is no text', { ...plain, scope: { a: 1 } }, here, { client: 'app', scopes: [] }],
  ['azp', { ...plain, client_id: undefined, azp: 'app' }, here, holder],
  ['sub', { ...plain, client_id: undefined, sub: 'app' }, here, holder],
  ['no client', { ...plain, client_id: undefined }, here, 'invalid'],
  ['an empty client', { ...plain, client_id: '' }, here, 'invalid'],
  [
    'a client of 256 characters',
    { ...plain, client_id: 'x'.repeat(256), scope: '' },
    here,
    { client: 'x'.repeat(256), scopes: [] },
  ],
  ['a client of 257 characters', { ...plain, client_id: 'x'.repeat(257) }, here, 'invalid'],
  ['no aud', { ...plain, aud: undefined }, here, 'invalid'],
  ['another aud', { ...plain, aud: 'x' }, here, 'invalid'],
  ['our aud and our tenant', { ...plain, [cerner]: { tnt: 'tenant-1' } }, here, holder],
  ['our aud and another tenant', { ...plain, [cerner]: { tnt: 'tenant-2' } }, here, 'tenant'],
  ['Oracle, first claims', { azp: 'app', [cerner]: { tnt: 'tenant-1', azs } }, oracle, holder],
  [
    'Oracle, version 1',
    { azp: 'app', [cerner1]: { tenant: 'tenant-1', profiles: { 'smart-v1': { azs } } } },
    oracle,
    holder,
  ],
  [
    'Oracle, both',
    { azp: 'app', [cerner]: { tnt: 'tenant-1', azs }, [cerner1]: { tenant: 'tenant-1' } },
    oracle,
    holder,
  ],
  [
    'Oracle, claims that disagree',
    { azp: 'app', [cerner]: { tnt: 'tenant-1', azs }, [cerner1]: { tenant: 'tenant-2' } },
    oracle,
    'tenant',
  ],
  ['Oracle, another tenant', { azp: 'app', [cerner]: { tnt: 'tenant-2', azs } }, oracle, 'tenant'],
  ['Oracle, no tenant', { azp: 'app', [cerner]: { azs } }, oracle, 'invalid'],
  ['Oracle, claims that are a list', { azp: 'app', [cerner]: ['tenant-1'] }, oracle, 'invalid'],
  ['Oracle, with an aud', { azp: 'app', aud: 'x', [cerner]: { tnt: 'tenant-1', azs } }, oracle, 'invalid'],
  ['Oracle, a tenant that is no text', { azp: 'app', [cerner]: { tnt: ['tenant-1'], azs } }, oracle, 'tenant'],
] as const) {
  test(`foreign claims: ${what}`, () => assert.deepEqual(readForeignClaims(claims, rule), expected))
}

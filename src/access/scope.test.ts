import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { grantOf, parseScope } from './scope.ts'

const grant = (scopes: string, wildcards = true) => grantOf('t', 'c', scopes.split(' '), { wildcards })

const reads: readonly (readonly [rule: string, scopes: string, type: string, wildcards: boolean, can: boolean])[] = [
  ['S-6 v1 read', 'system/Observation.read', 'Observation', false, true],
  ['S-6 another type', 'system/Observation.read', 'Condition', false, false],
  ['§10 v1 star', 'system/Observation.*', 'Observation', false, true],
  ['T-48 write alone', 'system/Observation.write', 'Observation', false, false],
  ['T-49 r alone', 'system/Observation.r', 'Observation', false, false],
  ['§10 s alone', 'system/Observation.s', 'Observation', false, false],
  ['T-50 rs', 'system/Observation.rs', 'Observation', false, true],
  ['§10 crs', 'system/Observation.crs', 'Observation', false, true],
  ['§10 cruds', 'system/Observation.cruds', 'Observation', false, true],
  ['B21 letters out of order', 'system/Observation.sr', 'Observation', false, false],
  ['B22 r and s apart', 'system/Observation.r system/Observation.s', 'Observation', false, true],
  ['T-51 wildcard in a profile without', 'system/*.read', 'Observation', false, false],
  ['D26 wildcard in a profile with', 'system/*.read', 'Observation', true, true],
  ['D26 v2 wildcard', 'system/*.cruds', 'Observation', true, true],
  ['D26 wildcard star', 'system/*.*', 'Observation', true, true],
  ['D26 wildcard r alone', 'system/*.r', 'Observation', true, false],
  ['T-52 user', 'user/Observation.read', 'Observation', true, false],
  ['S-51 patient', 'patient/Observation.rs', 'Observation', true, false],
  [
    '§10 a query narrows, so the whole type is not read',
    'system/Observation.rs?category=laboratory',
    'Observation',
    true,
    false,
  ],
]

for (const [rule, scopes, type, wildcards, can] of reads) {
  test(`${rule}: ${scopes} ${can ? 'reads' : 'does not read'} ${type}`, () => {
    assert.equal(grant(scopes, wildcards).canRead(type), can)
  })
}

const writes: readonly (readonly [scopes: string, can: boolean])[] = [
  ['system/Patient.write', true],
  ['system/Patient.*', true],
  ['system/Patient.cud', true],
  ['system/Patient.cruds', true],
  ['system/Patient.c system/Patient.ud', true],
  ['system/Patient.cu', false],
  ['system/Patient.read', false],
  ['user/Patient.write', false],
]

for (const [scopes, can] of writes) {
  test(`${scopes} ${can ? 'writes' : 'does not write'} Patient`, () => {
    assert.equal(grant(scopes).canWrite('Patient'), can)
  })
}

test('S-51: only system scopes make a system grant', () => {
  assert.equal(grant('user/Patient.read patient/*.rs openid').system, false)
  assert.equal(grant('openid system/Patient.r').system, true)
})

for (const text of [
  '',
  'openid',
  'system/Patient',
  'system/Patient.',
  'system/patient.read',
  'system/Patient.READ',
  'System/Patient.read',
  'system/Patient.rs?',
  'system/Patient.read?x=y',
  'system/Patient.rr',
  'system/Patient.read,system/Group.read',
  ' system/Patient.read',
  'system/Patient.read\n',
]) {
  const counts = text === 'system/Patient.rs?'
  test(`${JSON.stringify(text)} ${counts ? 'has an empty query' : 'is not a scope'}`, () => {
    assert.equal(parseScope(text)?.query, counts ? '' : undefined)
    assert.equal(parseScope(text) === undefined, !counts)
  })
}

test('B22: read is exactly "r and s are somewhere", however the letters are spread', () => {
  const letters = fc.subarray([...'cruds']).filter((some) => some.length > 0)
  fc.assert(
    fc.property(fc.array(letters, { minLength: 1, maxLength: 4 }), (spread) => {
      const held = new Set(spread.flat())
      const { canRead, canWrite } = grant(spread.map((some) => `system/Goal.${some.join('')}`).join(' '))
      assert.equal(canRead('Goal'), held.has('r') && held.has('s'))
      assert.equal(canWrite('Goal'), held.has('c') && held.has('u') && held.has('d'))
    }),
  )
})

const readables: readonly (readonly [why: string, scopes: string, type: string, readable: 'all' | 'none' | number])[] =
  [
    ['a query', 'system/Observation.rs?category=laboratory', 'Observation', 1],
    ['of another type', 'system/Observation.rs?category=laboratory', 'Condition', 'none'],
    ['several are or', 'system/Goal.rs?category=a system/Goal.rs?category=b', 'Goal', 2],
    ['the whole type wins', 'system/Goal.rs?category=a system/Goal.read', 'Goal', 'all'],
    ['the whole type by two scopes wins', 'system/Goal.r system/Goal.rs?category=a system/Goal.s', 'Goal', 'all'],
    ['a wildcard wins', 'system/Goal.rs?category=a system/*.rs', 'Goal', 'all'],
    ['r alone does not', 'system/Goal.r system/Goal.rs?category=a', 'Goal', 1],
    ['write letters with a query do not count', 'system/Goal.cruds?category=a', 'Goal', 'none'],
    ['r alone with a query does not count', 'system/Goal.r?category=a system/Goal.s?category=a', 'Goal', 'none'],
    ['nor does a wildcard with a query', 'system/*.rs?_tag=a', 'Goal', 'none'],
    ['nor one that cannot be applied', 'system/Goal.rs?category:in=http://a.example/vs', 'Goal', 'none'],
    ['which takes nothing from the others', 'system/Goal.rs?foo=a system/Goal.rs?category=b', 'Goal', 1],
    ['other contexts never count', 'user/Goal.rs?category=a patient/Goal.rs?category=a', 'Goal', 'none'],
    ['a type without parameters of its own has the common ones', 'system/Medication.rs?_tag=a', 'Medication', 1],
  ]

for (const [why, scopes, type, readable] of readables) {
  test(`§10 granular, ${why}: ${scopes}`, () => {
    const found = grant(scopes).readable(type)
    assert.equal(typeof found === 'string' ? found : found.length, readable)
    assert.equal(
      grant(scopes).canRead(type),
      readable === 'all',
      'who cannot apply a query sees the whole type or nothing',
    )
    assert.equal(grant(scopes).canWrite(type), false)
  })
}

test('§10: a granular scope that cannot be applied is explained', () => {
  const { unusable } = grant('system/Goal.rs?foo=1 system/Goal.rs?category=a user/Goal.rs?foo=1')
  assert.equal(unusable.length, 1)
  assert.match(
    unusable[0]!,
    /^The scope "system\/Goal\.rs\?foo=1" cannot be applied: foo of Goal: the parameter is not supported/,
  )
})

test('the audit trail is read with a scope of its name; no wildcard reaches it', () => {
  const reads = (scope: string) => grantOf('t', 'c', [scope], { wildcards: true }).canRead('AuditEvent')
  for (const scope of ['system/*.read', 'system/*.cruds', 'system/*.*', 'system/AuditEvent.r']) assert.ok(!reads(scope))
  for (const scope of ['system/AuditEvent.read', 'system/AuditEvent.rs']) assert.ok(reads(scope))
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decideScopes } from './granted-scope.ts'
import { lettersFor, parseScope, type Scope, scopeList } from './scope.ts'

const rows: readonly (readonly [requested: string, registered: string, granted: string, wildcards?: boolean])[] = [
  ['system/Patient.read', 'system/Patient.read', 'system/Patient.read'],
  ['system/Patient.read', 'system/*.read', 'system/Patient.read'],
  ['system/Patient.rs', 'system/*.read', 'system/Patient.rs'],
  ['system/Patient.read', 'system/Patient.rs', 'system/Patient.read'],
  ['system/Patient.read', 'system/Patient.r system/Patient.s', 'system/Patient.read'],
  ['system/Patient.cruds', 'system/Patient.read', 'system/Patient.rs'],
  ['system/Patient.*', 'system/Patient.read', 'system/Patient.read'],
  ['system/Patient.*', 'system/Patient.r', 'system/Patient.r'],
  ['system/Patient.read', 'system/Group.read', ''],
  ['system/Patient.write', 'system/*.read', ''],
  ['system/*.read', 'system/*.read', 'system/*.read'],
  ['system/*.read', 'system/*.read system/Patient.*', 'system/*.read'],
  ['system/*.read', 'system/Patient.* system/Group.rs', 'system/Patient.read system/Group.read'],
  ['system/*.*', 'system/*.read system/Patient.*', 'system/*.read system/Patient.*'],
  ['system/*.read', 'system/*.read', '', false],
  ['system/Patient.read', 'system/*.read', 'system/Patient.read', false],
  ['user/Patient.read', 'system/*.read', ''],
  ['system/Patient.rs?active=true', 'system/*.read', ''],
  ['openid system/Patient.read nonsense', 'system/*.read', 'system/Patient.read'],
  ['system/Patient.read system/Patient.read', 'system/*.read', 'system/Patient.read'],
  ['system/Patient.read,system/Group.read', 'system/*.read', ''],
]

for (const [requested, registered, granted, wildcards = true] of rows) {
  test(`B14: asked ${requested}, registered ${registered}${wildcards ? '' : ', no wildcards'}: ${granted || 'nothing'}`, () => {
    const decision = decideScopes(scopeList(requested), scopeList(registered), { wildcards })
    assert.equal(decision.granted.join(' '), granted)
  })
}

test('T-194: what is not granted is explained', () => {
  const { refused } = decideScopes(['nonsense', 'a,b', 'user/Goal.read', 'system/Goal.write'], ['system/*.read'], {
    wildcards: true,
  })
  assert.deepEqual(
    refused.map(({ reason }) => reason),
    [
      'not a SMART resource scope',
      'scopes are separated by blanks, not commas',
      'only system/ scopes are granted to client_credentials',
      'the client is not registered for it',
    ],
  )
})

test('B14, B18: a granted scope never exceeds what was asked for or what is registered', () => {
  const scope = fc
    .tuple(
      fc.constantFrom('*', 'Patient', 'Goal'),
      fc.constantFrom('read', 'write', '*', 'r', 'cu', 'rs', 'cruds', 'd'),
    )
    .map(([type, permission]) => `system/${type}.${permission}`)
  const scopes = fc.array(scope, { minLength: 1, maxLength: 4 })
  const parsed = (texts: readonly string[]) => texts.map(parseScope) as Scope[]
  fc.assert(
    fc.property(scopes, scopes, (requested, registered) => {
      const { granted } = decideScopes(requested, registered, { wildcards: true })
      for (const type of ['Patient', 'Goal', 'Device']) {
        const asked = lettersFor(parsed(requested), type)
        const held = lettersFor(parsed(registered), type)
        assert.deepEqual(lettersFor(parsed(granted), type), new Set([...asked].filter((letter) => held.has(letter))))
      }
    }),
  )
})

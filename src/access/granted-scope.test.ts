import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readTest } from '../protocol/request/filters.ts'
import { combinationsMax, decideScopes } from './granted-scope.ts'
import { grantOf, lettersFor, parseScope, type Scope, scopeList } from './scope.ts'

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
  ['system/Patient.rs?active=true', 'system/*.read', 'system/Patient.rs?active=true'],
  ['system/Patient.rs?active=true', 'system/Patient.r system/Patient.s', 'system/Patient.rs?active=true'],
  ['system/Patient.rs?active=true', 'system/Patient.r', ''],
  ['system/Patient.rs?active=true', 'system/Patient.rs?active=true', 'system/Patient.rs?active=true'],
  ['system/Patient.rs?active=true', 'system/Patient.rs?gender=male', 'system/Patient.rs?active=true&gender=male'],
  ['system/Patient.rs?a=b', 'system/*.read', ''],
  ['system/Patient.cruds?active=true', 'system/*.*', ''],
  ['system/*.rs?_tag=a', 'system/*.*', ''],
  [
    'system/Goal.read',
    'system/Goal.rs?category=a system/Goal.rs?category=b',
    'system/Goal.rs?category=a system/Goal.rs?category=b',
  ],
  ['system/Goal.r', 'system/Goal.rs?category=a', ''],
  ['system/Goal.cruds', 'system/Goal.cud system/Goal.rs?category=a', 'system/Goal.cud system/Goal.rs?category=a'],
  ['system/Goal.read', 'system/*.read system/Goal.rs?category=a', 'system/Goal.read'],
  ['system/*.read', 'system/Patient.read system/Goal.rs?category=a', 'system/Patient.read system/Goal.rs?category=a'],
  ['system/*.read', 'system/*.read system/Goal.rs?category=a', 'system/*.read'],
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

test('§10: granular scopes give what was asked for and what is registered have in common', () => {
  const part = fc.constantFrom('category=a', 'category=b', 'lifecycle-status=active', 'description=x', 'category:not=a')
  const granular = fc.array(part, { minLength: 1, maxLength: 2 }).map((parts) => `system/Goal.rs?${parts.join('&')}`)
  const scope = fc.oneof(
    granular,
    fc.constantFrom('system/Goal.read', 'system/Goal.r', 'system/*.rs', 'system/Goal.cud'),
  )
  const scopes = fc.array(scope, { minLength: 1, maxLength: 4 })
  const goal = fc.record({
    resourceType: fc.constant('Goal'),
    lifecycleStatus: fc.constantFrom('active', 'proposed'),
    category: fc.subarray(['a', 'b']).map((codes) => codes.map((code) => ({ coding: [{ code }] }))),
    description: fc.constantFrom({ text: 'x' }, { text: 'y' }),
  })
  const mayRead = (texts: readonly string[], body: string) =>
    readTest(grantOf('t', 'c', texts, { wildcards: true }).readable('Goal'), { base: '', now: new Date(0) })(body)
  let narrowed = 0
  fc.assert(
    fc.property(scopes, scopes, goal, (requested, registered, record) => {
      const body = JSON.stringify(record)
      const { granted } = decideScopes(requested, registered, { wildcards: true })
      assert.equal(mayRead(granted, body), mayRead(requested, body) && mayRead(registered, body), granted.join(' '))
      if (granted.some((text) => text.includes('&'))) narrowed++
    }),
    { numRuns: 2000 },
  )
  assert.ok(narrowed > 100)
})

test('who asks for a wildcard is not given the audit trail, however it is registered; who asks by name is', () => {
  const options = { wildcards: true }
  for (const others of ['system/*.read', 'system/Patient.read']) {
    const registered = [others, 'system/AuditEvent.read']
    assert.deepEqual(decideScopes(['system/*.read'], registered, options).granted, [others])
    assert.deepEqual(decideScopes(['system/AuditEvent.read'], registered, options).granted, ['system/AuditEvent.read'])
  }
  assert.deepEqual(decideScopes(['system/AuditEvent.read'], ['system/*.read'], options).granted, [])
})

test(`at most ${combinationsMax} queries are put together: of scopes beyond, none with a query is granted`, () => {
  const registered = Array.from({ length: 50 }, (_, at) => `system/Goal.rs?category=c${at}`)
  const granted = (count: number) => {
    const asked = Array.from({ length: count }, (_, at) => `system/Goal.rs?lifecycle-status=s${at}`)
    return decideScopes([...asked, 'system/Patient.read'], [...registered, 'system/Patient.read'], { wildcards: true })
  }
  const whole = combinationsMax / registered.length
  for (const [count, most] of [
    [whole - 1, combinationsMax - registered.length],
    [whole, combinationsMax],
    [whole + 1, combinationsMax],
    [whole + 500, combinationsMax],
  ] as const) {
    const { granted: given, refused } = granted(count)
    assert.equal(given.length, most + 1)
    assert.ok(given.includes('system/Patient.read'))
    assert.equal(refused.length, Math.max(0, count - whole))
  }
})

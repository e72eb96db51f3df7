import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BundleIdentities, endOf, isAbsolute, isUrn, rootOf } from './bundle-identities.ts'

const a = 'http://a.example/fhir'
const identities = new BundleIdentities([
  { fullUrl: 'urn:uuid:ABCDEF00-0000-4000-8000-000000000001', stated: 'Patient/x', key: 'Patient/1' },
  { fullUrl: 'urn:oid:1.2.3', key: 'Patient/2' },
  { fullUrl: `${a}/Patient/x`, stated: 'Patient/x', key: 'Patient/3' },
  { fullUrl: `${a}/Patient/gone`, key: undefined },
  { stated: 'Patient/new', key: 'Patient/4' },
  { fullUrl: `${a}/Patient/A_1`, stated: ['Patient/A_1', 'Patient/y'], key: 'Patient/5' },
  { fullUrl: `${a}/Patient/versioned/_history/2`, stated: ['Patient/y', 'Patient/z'], key: 'Patient/6' },
  { fullUrl: `${a}/Patient/${'9'.repeat(200)}`, key: 'Patient/7' },
])

const rows: readonly [reference: string, from: string | undefined, key: string | undefined, why: string][] = [
  ['urn:uuid:abcdef00-0000-4000-8000-000000000001', undefined, 'Patient/1', 'uuids are compared without case'],
  ['urn:oid:1.2.3', undefined, 'Patient/2', 'an oid'],
  ['urn:oid:1.2.4', undefined, undefined, 'an oid that no entry has'],
  [`${a}/Patient/x`, undefined, 'Patient/3', 'an absolute URL'],
  [`${a}/Patient/X`, undefined, undefined, 'ids are compared with case'],
  [`${a}/Patient/x/_history/4`, undefined, 'Patient/3', 'with a version'],
  ['Patient/x', `${a}/Condition/1`, 'Patient/3', 'a relative one is resolved against the root of who refers'],
  ['Patient/x', 'http://b.example/fhir/Condition/1', undefined, 'another root is another server'],
  ['Patient/new', `${a}/Condition/1`, undefined, 'an entry without fullUrl is not at that root'],
  ['Patient/new', undefined, 'Patient/4', 'without a root, what an entry states counts'],
  ['Patient/new', 'urn:uuid:00000000-0000-4000-8000-000000000009', 'Patient/4', 'a urn has no root'],
  ['Patient/A_1', undefined, 'Patient/5', 'the first of several names'],
  ['Patient/z', undefined, 'Patient/6', 'the last of several names'],
  ['Patient/A_1', `${a}/Condition/1`, 'Patient/5', 'an id that R4 does not allow'],
  ['Patient/A_1', `${a}/Condition/c_1`, 'Patient/5', 'from an id that R4 does not allow'],
  [`Patient/${'9'.repeat(200)}`, `${a}/Condition/1`, 'Patient/7', 'an id longer than R4 allows'],
  [`${a}/Patient/versioned`, undefined, 'Patient/6', 'a fullUrl with a version is known without it'],
  [`${a}/Patient/versioned/_history/9`, undefined, 'Patient/6', 'and with another version'],
  ['Patient/versioned', `${a}/Condition/1/_history/3`, 'Patient/6', 'a fullUrl with a version has a root'],
  ['Patient/other', undefined, undefined, 'none of the Bundle'],
  [`${a}/Patient/gone`, undefined, undefined, 'an entry that becomes no record'],
  ['#p', `${a}/Condition/1`, undefined, 'contained'],
  ['Patient?identifier=a|b', undefined, undefined, 'conditional'],
  ['', undefined, undefined, 'empty'],
]

for (const [reference, from, key, why] of rows) {
  test(`${reference || "''"} from ${from ?? 'nowhere'}: ${why}`, () =>
    assert.equal(identities.resolve(reference, from), key))
}

test('two entries that state one id and become two records are ambiguous, but not for who has a root', () => {
  assert.ok(identities.isAmbiguous('Patient/x', undefined))
  assert.ok(!identities.isAmbiguous('Patient/x', `${a}/Condition/1`))
  assert.ok(!identities.isAmbiguous('Patient/new', undefined))
  assert.ok(identities.isAmbiguous('Patient/y', undefined))
  assert.ok(!identities.isAmbiguous('Patient/z', undefined))
})

test('bdl-7: a fullUrl that stands twice is told, in whatever case its uuid is', () => {
  const twice = new BundleIdentities([
    { fullUrl: 'urn:uuid:ABCDEF00-0000-4000-8000-000000000001', key: 'Patient/1' },
    { fullUrl: 'urn:uuid:abcdef00-0000-4000-8000-000000000001', key: 'Patient/2' },
    { fullUrl: `${a}/Patient/1`, key: undefined },
    { fullUrl: `${a}/Patient/1`, key: undefined },
    { fullUrl: `${a}/Patient/2`, key: 'Patient/3' },
  ])
  assert.deepEqual(twice.duplicates, ['urn:uuid:abcdef00-0000-4000-8000-000000000001', `${a}/Patient/1`])
  assert.deepEqual(identities.duplicates, [])
})

test('roots are those of RESTful URLs', () => {
  assert.deepEqual(identities.roots, [a])
  assert.equal(rootOf('https://x/Patient/1'), 'https://x')
  assert.equal(rootOf('https://x/Patient/1/_history/2'), 'https://x')
  assert.equal(endOf('https://x/Patient/1/_history/2'), 'Patient/1')
  assert.equal(endOf('https://x/fhir/Patient/1'), 'Patient/1')
  assert.equal(rootOf('urn:uuid:1'), undefined)
  assert.equal(rootOf('https://x/patient/1'), undefined)
  assert.ok(isAbsolute('urn:uuid:1') && isAbsolute('http://a') && !isAbsolute('Patient/1') && !isAbsolute('P?a=b:c'))
  assert.ok(isUrn('URN:UUID:1') && isUrn('urn:oid:1') && !isUrn('urn:iso:1'))
})

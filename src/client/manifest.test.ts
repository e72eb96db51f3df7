import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../failure.ts'
import { parseManifest } from './manifest.ts'
import { manifestOf } from './scripted-server.fixture.ts'

const at = new URL('https://server.example/r4/tenant/bulk-export/jobs/1')
const file = (type: unknown, url: unknown = 'https://files.example/1') => ({ type, url })

test('§11.5: file URLs are taken absolute or relative to the status URL', () => {
  const output = [
    file('Patient', 'https://files.example/1?x=y'),
    file('Patient', '../files/2'),
    file('Goal', '/files/3'),
  ]
  const { files } = parseManifest(manifestOf(output), at)
  assert.deepEqual(
    files.map(({ stem, url }) => [stem, url.href]),
    [
      ['Patient.1', 'https://files.example/1?x=y'],
      ['Patient.2', 'https://server.example/r4/tenant/bulk-export/files/2'],
      ['Goal.1', 'https://server.example/files/3'],
    ],
  )
})

test('deleted and error files get names of their own, and names differ without regard to case', () => {
  const more = { deleted: [file('Bundle')], error: [file('OperationOutcome')] }
  const { files } = parseManifest(manifestOf([file('Bundle'), file('patient'), file('Patient')], more), at)
  assert.deepEqual(
    files.map(({ stem }) => stem),
    ['Bundle.1', 'patient.1', 'Patient.2', 'deleted.Bundle.1', 'error.OperationOutcome.1'],
  )
})

test('a missing error array and requiresAccessToken as a string are forgiven', () => {
  const { error: _, ...body } = manifestOf([], { requiresAccessToken: 'true' }) as Record<string, unknown>
  assert.equal(parseManifest(body, at).requiresAccessToken, true)
})

test('a manifest that is hostile or cannot be used is refused', () => {
  const refused: unknown[] = [
    undefined,
    [],
    manifestOf([file('../../x')]),
    manifestOf([file('Patient/..')]),
    manifestOf([file('')]),
    manifestOf([file(undefined)]),
    manifestOf([file('Patient', 'file:///etc/passwd')]),
    manifestOf([file('Patient', 'http://files.example/in-the-clear')]),
    manifestOf([file('Patient', 7)]),
    manifestOf([], { transactionTime: 'yesterday' }),
    manifestOf([], { requiresAccessToken: undefined }),
    manifestOf([], { output: undefined }),
    manifestOf([], { link: [{ relation: 'next', url: 'https://server.example/next' }] }),
  ]
  for (const body of refused) assert.throws(() => parseManifest(body, at), Failure, JSON.stringify(body))
})

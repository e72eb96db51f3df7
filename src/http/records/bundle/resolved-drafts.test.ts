import assert from 'node:assert/strict'
import { test } from 'node:test'
import { draftOf, sketchOfSent } from '../../../records/draft.ts'
import { ResolvedDrafts } from './resolved-drafts.ts'
import type { Write } from './step.ts'

const textOf = (subject: string) => JSON.stringify({ resourceType: 'Condition', subject: { reference: subject } })
const draftAs = (text: string, id: string) => {
  const draft = draftOf(text, [], id)
  assert.ok('text' in draft)
  return draft
}

const stepOf = (source: string): Write => ({
  kind: 'create',
  index: 0,
  fullUrl: undefined,
  type: 'Condition',
  target: { kind: 'none' },
  source,
  draft: draftAs(source, 'c'),
  statedId: undefined,
  conditional: new Map(),
  ifMatch: undefined,
})

test('a draft is made once of each text and id, and never another one is given for it', () => {
  const source = textOf('urn:uuid:1')
  const step = stepOf(source)
  const drafts = new ResolvedDrafts()
  const of = (text: string, id: string) => drafts.of(step, text, id, [])
  assert.equal(of(source, 'c'), step.draft)
  const first = of(textOf('Patient/a'), 'c')
  assert.equal(of(textOf('Patient/a'), 'c'), first)
  assert.equal(new ResolvedDrafts().of({ ...step }, source, 'c', []), step.draft)
  for (const [subject, id] of [
    ['Patient/b', 'c'],
    ['Patient/a', 'd'],
    ['Patient/a', 'c'],
  ] as const) {
    const draft = of(textOf(subject), id)
    assert.ok('text' in draft)
    assert.deepEqual([draft.owners?.join(), draft.key], [subject.split('/')[1], `Condition/${id}`])
  }
  assert.equal(of(source, 'c'), step.draft)
})

test('a sketch is no draft of what is stored as it was sent', () => {
  const source = textOf('Patient/a')
  const draft = sketchOfSent(source, [], 'c')
  assert.ok('key' in draft && !('text' in draft))
  const made = new ResolvedDrafts().of({ ...stepOf(source), draft }, source, 'c', [])
  assert.deepEqual(made, draftAs(source, 'c'))
})

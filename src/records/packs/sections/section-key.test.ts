import assert from 'node:assert/strict'
import { it } from 'node:test'
import { hasSectionMember, memberTextOf, untold } from './section-key.ts'

const text = (line: string) => memberTextOf(Buffer.from(line))

it('records are put together by the text of their category, as far as it can be told', () => {
  assert.equal(text('{"id":"a","category":[{"text":"ä"}],"code":1}'), '[{"text":"ä"}]')
  assert.equal(text('{"id":"a","subject":{"category":1}}'), '')
  assert.equal(text('{"id":"a","c\\u0061tegory":[]}'), untold)
  const wide = (chars: number) => text(`{"category":"${'a'.repeat(chars - 2)}"}`)
  assert.equal(wide(999).length, 999)
  assert.equal(wide(1_000).length, 1_000)
  assert.equal(wide(1_001), untold)
  assert.equal(text(`{"category":"${'ä'.repeat(900)}"}`).length, 902)
  assert.deepEqual(
    ['Observation', 'Condition', 'Patient', 'Provenance', 'Encounter'].map((type) => hasSectionMember(type)),
    [true, true, false, false, false],
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KnownAnswers, knownAnswersMax, knownTextBytesMax, knownTextsBytesMax } from './known-answers.ts'

/** Asks, and keeps the answer if it was not known. */
function ask(known: KnownAnswers, question: number, text: string, answer: boolean): boolean | undefined {
  const bytes = Buffer.from(`before${text}after`)
  const end = bytes.length - 'after'.length
  const told = known.of(question, bytes, 'before'.length, end)
  if (told === undefined) known.keep(question, bytes, 'before'.length, end, answer)
  return told
}

const truth = (question: number, text: string): boolean => (question + text.length + text.charCodeAt(0)) % 2 === 0

test('an answer that is told is the one that was kept, for the same question and text', () => {
  const known = new KnownAnswers()
  let told = 0
  const text = fc.oneof(
    fc.constantFrom('a', 'b', 'ab', '"final"', '"finel"'),
    fc.string({ minLength: 1, maxLength: 12 }),
  )
  fc.assert(
    fc.property(fc.nat({ max: 3 }), text, (question, asked) => {
      const answer = ask(known, question, asked, truth(question, asked))
      if (answer !== undefined) told++
      assert.ok(answer === undefined || answer === truth(question, asked))
    }),
    { numRuns: 10_000 },
  )
  assert.ok(told > 2_000, `${told} were told`)
})

test('an answer to another question is not told, though both may have one place', () => {
  const known = new KnownAnswers()
  for (let question = 0; question < knownAnswersMax * 4; question++) {
    assert.equal(ask(known, question, '"final"', question % 2 === 0), undefined)
  }
})

test('texts are kept up to their bound, longer ones are not', () => {
  const known = new KnownAnswers()
  for (const [length, isKept] of [
    [knownTextBytesMax - 1, true],
    [knownTextBytesMax, true],
    [knownTextBytesMax + 1, false],
  ] as const) {
    ask(known, 0, 'x'.repeat(length), true)
    assert.equal(ask(known, 0, 'x'.repeat(length), true), isKept ? true : undefined)
  }
})

test('all are forgotten when their texts weigh more than the bound, and no sooner', () => {
  const known = new KnownAnswers()
  const texts = Array.from({ length: knownTextsBytesMax / knownTextBytesMax }, (_, index) =>
    String(index).padEnd(knownTextBytesMax, '.'),
  )
  for (const text of texts) ask(known, 7, text, truth(7, text))
  const toldOf = (asked: readonly string[]) =>
    asked.filter((text) => {
      const bytes = Buffer.from(text)
      return known.of(7, bytes, 0, bytes.length) === truth(7, text)
    }).length
  // Two of them may share a slot.
  assert.ok(toldOf(texts) > texts.length * 0.9)
  ask(known, 7, 'more', true)
  assert.equal(toldOf(texts), 0)
  assert.equal(toldOf(['more']), 1)
})

test('no more answers are kept than their bound: a new one takes the place of another', () => {
  const texts = (count: number) => Array.from({ length: count }, (_, index) => `"${index}"`)
  const toldOf = (count: number): number => {
    const known = new KnownAnswers()
    for (const text of texts(count)) ask(known, 0, text, true)
    return texts(count).filter((text) => known.of(0, Buffer.from(text), 0, text.length)).length
  }
  assert.ok(toldOf(knownAnswersMax / 8) > (knownAnswersMax / 8) * 0.85)
  assert.ok(toldOf(knownAnswersMax) > knownAnswersMax / 2)
  const told = toldOf(knownAnswersMax * 4)
  assert.ok(told > knownAnswersMax * 0.9 && told <= knownAnswersMax, String(told))
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type NamingPlace, referencesIn, renameReferences } from './reference-text.ts'

const uuid = 'urn:uuid:2f1e6a4e-6a51-4f4c-9d0e-1f6c2a6b7c8d'
const rename = (name: string): string | undefined => (name === uuid ? 'Patient/7' : undefined)

test('references, URLs and links of narratives get new names, and every other byte stays', () => {
  const text = `{ "subject":{"reference": "${uuid}"},"content":[{"attachment":{"url":"${uuid}"}}],"value":1.10,
    "extension":[{"url":"http://x","valueUri":"${uuid}"}],
    "text":{"div":"<div><a class=\\"b\\" href=\\"${uuid}\\">him</a> <img src='${uuid}'/> ${uuid}</div>"}}`
  assert.equal(
    renameReferences(text, rename),
    `{ "subject":{"reference": "Patient/7"},"content":[{"attachment":{"url":"Patient/7"}}],"value":1.10,
    "extension":[{"url":"http://x","valueUri":"Patient/7"}],
    "text":{"div":"<div><a class=\\"b\\" href=\\"Patient/7\\">him</a> <img src='Patient/7'/> ${uuid}</div>"}}`,
  )
})

test('no other element and nothing within a text gets a new name', () => {
  const text = `{"identifier":{"value":"${uuid}"},"div":"\\"reference\\":\\"${uuid}\\"","reference":["${uuid}"],"url":1,"a":"${uuid}"}`
  assert.equal(renameReferences(text, rename), text)
})

test('escapes are understood, in keys and in values', () => {
  assert.equal(
    renameReferences('{"re\\u0066erence":"http:\\/\\/a"}', (name) => (name === 'http://a' ? 'é"' : undefined)),
    '{"re\\u0066erence":"é\\""}',
  )
  assert.equal(
    renameReferences('{"div":"<a href=\\"a?b&amp;c\\">"}', (name) => (name === 'a?b&c' ? 'd&e' : undefined)),
    '{"div":"<a href=\\"d&amp;e\\">"}',
  )
})

test('a text whose names all stay is the same text; names that change change nothing else (property)', () => {
  const json = fc.jsonValue()
  fc.assert(
    fc.property(json, (value) => {
      const text = JSON.stringify({ resource: value, reference: 'r', list: [{ reference: 's' }, 'reference'] })
      assert.equal(
        renameReferences(text, () => undefined),
        text,
      )
      const seen: NamingPlace[] = []
      const changed = renameReferences(text, (name, place) => {
        seen.push(place)
        return place === 'reference' ? `${name}!` : undefined
      })
      const expected = JSON.stringify(JSON.parse(text), (key, member) =>
        key === 'reference' && typeof member === 'string' ? `${member}!` : member,
      )
      assert.equal(JSON.stringify(JSON.parse(changed)), expected)
    }),
  )
})

test('references are found at any depth, in order', () => {
  assert.deepEqual(referencesIn('{"a":{"reference":"x"},"contained":[{"b":[{"reference":"#y"}]}],"reference":3}'), [
    'x',
    '#y',
  ])
})

test('strings may be as long as a record, full of escapes too', () => {
  const text = `{"data":"${'A'.repeat(20_000_000)}${'\\\\'.repeat(1_000_000)}\\"","reference":"x"}`
  assert.deepEqual(referencesIn(text), ['x'])
})

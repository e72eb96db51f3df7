import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { elementsFile, elementsText } from '../../scripts/root-elements/source-text.ts'
import { elementsTable } from '../../scripts/root-elements/table.ts'
import { hasRootElement, keptMembers } from './root-elements.ts'
import { subsetText } from './subset-text.ts'

const tag = '{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}'
const meta = '"meta":{"versionId":"1","lastUpdated":"2024-01-01T00:00:00.000Z"'

describe('root elements (D16)', () => {
  it('are those of the official definitions', () => {
    const advice = 'run scripts/generate-root-elements.ts'
    assert.equal(readFileSync(elementsFile, 'utf8'), elementsText(elementsTable()), advice)
  })

  it('are known by their names, a choice without [x]', () => {
    for (const name of ['id', 'meta', 'value', 'status', 'text', 'contained']) {
      assert.ok(hasRootElement('Observation', name), name)
    }
    for (const name of ['value[x]', 'valueQuantity', 'name', 'resourceType', 'toString', '__proto__']) {
      assert.ok(!hasRootElement('Observation', name), name)
    }
  })

  const rows: [string, Parameters<typeof keptMembers>[0], string[], string[], string[]][] = [
    [
      'mandatory and modifiers stay',
      'Observation',
      [],
      ['status', '_status', 'code', 'id', 'meta'],
      ['subject', 'note'],
    ],
    ['a modifier that R4 makes optional stays', 'MedicationRequest', [], ['doNotPerform'], ['dosageInstruction']],
    ['a mandatory choice stays', 'MedicationRequest', [], ['medicationReference', '_medicationString'], ['medication']],
    ['a choice that is asked for', 'Observation', ['value'], ['valueQuantity', '_valueString'], ['values', 'valued']],
    ['a choice whose name begins another', 'Goal', ['start'], ['startDate'], ['statusDate', 'statusReason']],
    ['an element of another type', 'Condition', ['birthDate'], ['subject'], ['birthDate']],
    ['members that R4 does not know', 'Patient', ['name'], ['name', '_name'], ['nickname', 'constructor']],
  ]
  for (const [title, type, wanted, kept, dropped] of rows) {
    it(title, () => {
      const keeps = keptMembers(type, wanted)
      for (const member of kept) assert.ok(keeps(member), member)
      for (const member of dropped) assert.ok(!keeps(member), member)
    })
  }
})

describe('a subset of a record', () => {
  const keeps =
    (...names: string[]) =>
    (member: string) =>
      ['resourceType', 'id', 'meta', ...names].includes(member)

  const rows: [string, string, string][] = [
    [
      'is to the letter what it was',
      `{"resourceType":"Observation","id":"o",${meta}},"a": {"n":1.10 ,"t":"\\u0041,}"},"b":[1],"c":"x"}`,
      `{"resourceType":"Observation","id":"o",${meta},"tag":[${tag}]},"a": {"n":1.10 ,"t":"\\u0041,}"}}`,
    ],
    [
      'keeps the tags that are there',
      `{"resourceType":"Observation","id":"o",${meta},"tag":[ {"code":"1.10"} ],"source":"s"}}`,
      `{"resourceType":"Observation","id":"o",${meta},"tag":[{"code":"1.10"},${tag}],"source":"s"}}`,
    ],
    [
      'is tagged once',
      `{"resourceType":"Observation","id":"o",${meta},"tag":[${tag}]},"b":1}`,
      `{"resourceType":"Observation","id":"o",${meta},"tag":[${tag}]}}`,
    ],
    [
      'is tagged where the tags are no array',
      `{"resourceType":"Observation","id":"o",${meta},"tag":"x","source":"s"}}`,
      `{"resourceType":"Observation","id":"o",${meta},"tag":[${tag}],"source":"s"}}`,
    ],
    [
      'is tagged beside a tag that is null',
      `{"resourceType":"Observation","id":"o",${meta},"tag":[null]}}`,
      `{"resourceType":"Observation","id":"o",${meta},"tag":[null,${tag}]}}`,
    ],
  ]
  for (const [title, line, expected] of rows) {
    it(title, () => assert.equal(subsetText(line, keeps('a')), expected))
  }

  it('is what a parser would make of it, for any record', () => {
    const value = fc.jsonValue({ maxDepth: 3 })
    const members = fc.dictionary(
      fc.string().filter((name) => !['id', 'meta', '__proto__'].includes(name)),
      value,
    )
    fc.assert(
      fc.property(members, fc.func(fc.boolean()), (rest, choose) => {
        // As JSON tells it: it knows no -0.
        const record = JSON.parse(JSON.stringify({ id: 'o', meta: { versionId: '1' }, ...rest }))
        const keep = (name: string) => name === 'id' || name === 'meta' || choose(name)
        const expected = { ...record, meta: { versionId: '1', tag: [JSON.parse(tag)] } }
        const found = JSON.parse(subsetText(JSON.stringify(record), keep))
        assert.deepEqual(found, Object.fromEntries(Object.entries(expected).filter(([name]) => keep(name))))
      }),
    )
  })
})

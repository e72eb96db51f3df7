import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { jsonDepthMax } from '../json/json-text.ts'
import { readEntries } from './bundle-entries.ts'

const entriesOf = (text: string) => readEntries(text).entries

const uuid = 'urn:uuid:2f1e6a4e-6a51-4f4c-9d0e-1f6c2a6b7c8d'

describe('entries of a Bundle', () => {
  it('give resources to the letter', () => {
    const resource = '{ "resourceType":"Observation", "valueQuantity":{"value":1.10}, "note":"a\\u0062" }'
    const [entry] = entriesOf(`{"resourceType":"Bundle","entry":[ {"fullUrl":"${uuid}","resource": ${resource} } ]}`)!
    assert.deepEqual(entry, { index: 0, fullUrl: uuid, resource, request: {} })
  })

  it('give the request of each', () => {
    const request = { method: 'PUT', url: 'Patient/1', ifMatch: 'W/"2"', ifNoneExist: 'identifier=1' }
    const bundle = { entry: [{ request }, { request: { method: 'DELETE', url: 'Patient/2' } }] }
    const entries = entriesOf(JSON.stringify(bundle))!
    assert.deepEqual(
      entries.map((entry) => [entry.index, entry.request]),
      [
        [0, request],
        [1, { method: 'DELETE', url: 'Patient/2' }],
      ],
    )
  })

  it('are in order and complete, whatever stands between them', () => {
    const text = '{\n "entry" : [ {"fullUrl":"a]"} ,\n\t{"fullUrl":"b}","resource":{"x":[[],{}]}},{}]\n}'
    const entries = entriesOf(text)!
    assert.deepEqual(
      entries.map(({ fullUrl, resource }) => [fullUrl, resource]),
      [
        ['a]', undefined],
        ['b}', '{"x":[[],{}]}'],
        [undefined, undefined],
      ],
    )
  })

  it('are none when there is no entry, or an empty list', () => {
    assert.deepEqual(entriesOf('{"resourceType":"Bundle"}'), [])
    assert.deepEqual(entriesOf('{"resourceType":"Bundle","entry":[ ]}'), [])
  })

  it('are undefined when entry is not a list, or nests too deep', () => {
    assert.equal(entriesOf('{"entry":{}}'), undefined)
    const deep = `${'['.repeat(jsonDepthMax + 1)}${']'.repeat(jsonDepthMax + 1)}`
    assert.equal(entriesOf(`{"entry":[{"resource":${deep}}]}`), undefined)
  })

  it('survive items and members of other kinds than R4 has', () => {
    for (const item of [
      'null',
      '1',
      '"text"',
      '[]',
      '{"request":null,"fullUrl":1}',
      '{"request":[],"resource":null}',
    ]) {
      const [entry] = entriesOf(`{"entry":[${item}]}`)!
      assert.equal(entry!.fullUrl, undefined)
      assert.equal(entry!.request.method, undefined)
    }
  })
})

describe('a member that stands twice', () => {
  for (const [what, text, expected] of [
    ['in the Bundle', '{"entry":[],"entry":[{}]}', 'Bundle'],
    ['in the Bundle, in other characters', '{"entry":[],"\\u0065ntry":[{}]}', 'Bundle'],
    ['in an entry', '{"entry":[{},{"fullUrl":"a","resource":{},"fullUrl":"b"}]}', 'Bundle.entry[1]'],
    ['in a request', '{"entry":[{"request":{"method":"PUT","method":"POST"}}]}', 'Bundle.entry[0]'],
    ['nowhere', '{"type":"batch","entry":[{"request":{"method":"PUT"},"resource":{"method":1}},{}]}', undefined],
    ['in a resource is not looked for', '{"entry":[{"resource":{"a":1,"a":2}}]}', undefined],
    ['in what is no entry', '{"entry":{"a":1,"a":2}}', undefined],
  ] as const) {
    it(what, () => assert.equal(readEntries(text).twice, expected))
  }
})

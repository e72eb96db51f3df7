import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { operationsOf } from '../../test/operations.ts'
import {
  blanksOfManyLines,
  blanksOfOneLine,
  freeMembers,
  type JsonMember,
  jsonSource,
  render,
  tokensOf,
} from './json/json-source.fixture.ts'
import { jsonDepthMax } from './json/json-text.ts'
import {
  digestOf,
  type ReadResource,
  readResourceText,
  recordValuesMax,
  statedLastUpdated,
  storedLine,
} from './resource-text.ts'

const versionId = 7
const lastUpdated = Date.parse('2026-03-18T19:19:42.123Z')
const stamped = [
  { key: '"versionId"', value: { literal: '"7"' } },
  { key: '"lastUpdated"', value: { literal: '"2026-03-18T19:19:42.123Z"' } },
]

function read(source: string, assignedId?: string): ReadResource {
  const result = readResourceText(source, assignedId)
  assert.ok(!('fault' in result), 'fault' in result ? result.fault : '')
  return result
}

const line = (source: string, assignedId?: string): string =>
  storedLine(read(source, assignedId).text, versionId, lastUpdated).toString()

function faultOf(source: string, assignedId?: string): string | undefined {
  const result = readResourceText(source, assignedId)
  return 'fault' in result ? result.fault : undefined
}

/** What a source may state about itself in `meta`. */
const staleMember = fc.constantFrom<JsonMember>(
  { key: '"versionId"', value: { literal: '"3"' } },
  { key: '"lastUpdated"', value: { literal: '"2020-01-01T00:00:00Z"' } },
  { key: '"\\u006castUpdated"', value: { literal: 'null' } },
)
const metaMembers = fc
  .tuple(
    freeMembers(jsonSource, 3),
    fc.uniqueArray(staleMember, { maxLength: 2, selector: ({ key }) => JSON.parse(key) }),
  )
  .chain(([kept, stale]) => fc.shuffledSubarray([...kept, ...stale], { minLength: kept.length + stale.length }))

/** A resource's members in any order; `meta` may be missing. */
const resource = fc
  .record({ free: freeMembers(jsonSource, 4), meta: fc.option(metaMembers, { nil: undefined }) })
  .chain(({ free, meta }) => {
    const all: JsonMember[] = [
      { key: '"resourceType"', value: { literal: '"Basic"' } },
      { key: '"id"', value: { literal: '"x-1"' } },
      ...(meta === undefined ? [] : [{ key: '"meta"', value: { members: meta } }]),
      ...free,
    ]
    return fc.shuffledSubarray(all, { minLength: all.length })
  })

const isStale = ({ key }: JsonMember): boolean => ['versionId', 'lastUpdated'].includes(JSON.parse(key))

/** The members that must be stored: the same, but for `meta`. */
function expected(members: readonly JsonMember[]): JsonMember[] {
  const stamp = (kept: readonly JsonMember[]) => ({
    key: '"meta"',
    value: { members: [...stamped, ...kept.filter((member) => !isStale(member))] },
  })
  if (members.some(({ key }) => key === '"meta"')) {
    return members.map((member) => {
      if (member.key !== '"meta"') return member
      return stamp('members' in member.value ? member.value.members : [])
    })
  }
  return members.flatMap((member) => (member.key === '"id"' ? [member, stamp([])] : [member]))
}

/** A JSON value without `meta`. */
function withoutMeta(text: string): unknown {
  const { meta: _, ...rest } = JSON.parse(text) as Record<string, unknown>
  return rest
}

describe('the stored line of a resource', () => {
  it('is the source to the letter, with only meta changed', () => {
    fc.assert(
      fc.property(resource, (members) => {
        assert.equal(line(render({ members }, [''])), render({ members: expected(members) }, ['']))
      }),
    )
  })

  it('keeps the blanks of a source on one line', () => {
    const source = ' { "resourceType" : "Basic", "id":"x-1" ,"n": 1.10 , "meta" : { "tag" : [ ] , "versionId":"3" } }'
    assert.equal(
      line(source),
      '{ "resourceType" : "Basic", "id":"x-1" ,"n": 1.10 , ' +
        '"meta" : {"versionId":"7","lastUpdated":"2026-03-18T19:19:42.123Z","tag" : [ ]} }',
    )
  })

  it('has every token of a pretty-printed source, on one line', () => {
    fc.assert(
      fc.property(resource, blanksOfManyLines, (members, blanks) => {
        const stored = line(render({ members }, blanks))
        assert.ok(!/[\r\n]/.test(stored))
        assert.deepEqual(tokensOf(stored), tokensOf(render({ members: expected(members) }, [''])))
      }),
    )
  })

  it('means the same as the source, except for meta.versionId and meta.lastUpdated', () => {
    fc.assert(
      fc.property(resource, fc.oneof(blanksOfOneLine, blanksOfManyLines), (members, blanks) => {
        const source = render({ members }, blanks)
        const stored = line(source)
        assert.deepEqual(withoutMeta(stored), withoutMeta(source))
        const { meta: before = {} } = JSON.parse(source) as { meta?: object }
        const { meta: after } = JSON.parse(stored) as { meta: object }
        assert.deepEqual(after, { ...before, versionId: '7', lastUpdated: '2026-03-18T19:19:42.123Z' })
      }),
    )
  })

  it('has the id that the server gives, in the place of the stated one or behind resourceType', () => {
    assert.match(
      line('{"id":"mine","resourceType":"Basic"}', 'given'),
      /^\{"id":"given","meta":\{[^}]*\},"resourceType"/,
    )
    assert.match(line('{"a":1,"resourceType":"Basic","b":2}', 'given'), /^\{"a":1,"resourceType":"Basic","id":"given",/)
    assert.equal(read('{"resourceType":"Basic","id":7}', 'given').id, 'given')
  })

  it('can be read again and gives the same line: storing is idempotent', () => {
    fc.assert(
      fc.property(resource, (members) => {
        const stored = line(render({ members }, ['']))
        assert.equal(line(stored), stored)
      }),
    )
  })
})

describe('the digest of a resource', () => {
  const digest = (source: string): string => digestOf(read(source).text).toString('hex')
  const plain = '{"resourceType":"Basic","id":"x","n":1.10}'

  it('does not depend on versionId and lastUpdated', () => {
    const meta = '"meta":{"versionId":"9","lastUpdated":"2020-01-01T00:00:00Z"}'
    assert.equal(digest(`{"resourceType":"Basic","id":"x",${meta},"n":1.10}`), digest(plain))
  })

  it('depends on everything else', () => {
    for (const other of [
      '{"resourceType":"Basic","id":"y","n":1.10}',
      '{"resourceType":"Basic","id":"x","n":1.1}',
      '{"resourceType":"Basic","id":"x","meta":{"source":"a"},"n":1.10}',
    ]) {
      assert.notEqual(digest(other), digest(plain))
    }
  })
})

describe('the lastUpdated that a source states', () => {
  const stated = (meta: string): number | undefined =>
    statedLastUpdated(read(`{"resourceType":"Basic","id":"x","meta":${meta}}`).text)

  it('is read when it is an instant', () => {
    assert.equal(stated('{"lastUpdated":"2020-01-01T00:00:00+01:00"}'), Date.parse('2019-12-31T23:00:00Z'))
    for (const meta of ['{}', '{"lastUpdated":"2020-01-01"}', '{"lastUpdated":1577836800000}']) {
      assert.equal(stated(meta), undefined)
    }
  })
})

describe('a text that cannot be stored', () => {
  const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`
  const faults: readonly [string, string, RegExp][] = [
    ['is not JSON', '{"resourceType":"Basic"', /^not JSON/],
    ['has something after it', '{"resourceType":"Basic","id":"x"} {}', /^not JSON/],
    ['is empty', '', /^not JSON/],
    ['is an array', '[]', /not a JSON object/],
    ['is null', 'null', /not a JSON object/],
    ['has no resourceType', '{"id":"x"}', /no resourceType/],
    ['has a resourceType of another kind', '{"resourceType":7,"id":"x"}', /not the name/],
    ['has a resourceType that is no name', '{"resourceType":"a/b","id":"x"}', /not the name/],
    ['has no id', '{"resourceType":"Basic"}', /no id/],
    ['has an empty id', '{"resourceType":"Basic","id":""}', /id must be/],
    ['has an id with a slash', '{"resourceType":"Basic","id":"a/b"}', /id must be/],
    ['has a number as id', '{"resourceType":"Basic","id":7}', /id must be/],
    ['has a meta that is no object', '{"resourceType":"Basic","id":"x","meta":[]}', /meta is not an object/],
    ['has a key twice', '{"resourceType":"Basic","id":"x","a":1,"a":1}', /"a" stands twice/],
    ['has its id twice', '{"resourceType":"Basic","id":"y","id":"x"}', /"id" stands twice/],
    ['has a key twice, once escaped', '{"resourceType":"Basic","id":"x","\\u0069d":"x"}', /"id" stands twice/],
    [
      'has a key twice further down',
      '{"resourceType":"Basic","id":"x","subject":{"reference":"Patient/1","reference":"Patient/2"}}',
      /"reference" stands twice/,
    ],
    [
      'has a key twice in meta',
      '{"resourceType":"Basic","id":"x","meta":{"versionId":"1","versionId":"2"}}',
      /"versionId" stands twice/,
    ],
    ['has a key twice in an array', '{"resourceType":"Basic","id":"x","a":[1,{"b":1,"b":2}]}', /"b" stands twice/],
    [
      'has too many values',
      `{"resourceType":"Basic","id":"x","a":[${'1,'.repeat(recordValuesMax)}1]}`,
      /more than 250000 values/,
    ],
    ['nests too deep', `{"resourceType":"Basic","id":"x","a":${nested(jsonDepthMax + 1)}}`, /nested too deep/],
  ]
  for (const [what, source, fault] of faults) {
    it(what, () => assert.match(faultOf(source) ?? 'none', fault))
  }

  it('is not told what it holds: faults carry no content', () => {
    assert.ok(!faultOf('{"name":"Secret" x')!.includes('Secret'))
  })

  it('nests too deep, when the server gives the id', () => {
    assert.match(faultOf(`{"resourceType":"Basic","a":${nested(jsonDepthMax + 1)}}`, 'given') ?? 'none', /too deep/)
  })
})

it('a text may have as many values as the bound, and not one more', () => {
  // The object, its three members (two commas), the array, and its items.
  const withValues = (count: number) => `{"resourceType":"Basic","id":"x","a":[${Array(count).fill('1').join(',')}]}`
  assert.equal(faultOf(withValues(recordValuesMax - 3)), undefined)
  assert.match(faultOf(withValues(recordValuesMax - 2)) ?? 'none', /values/)
})

/** Resources of growing size that would like to be expensive. */
const hostile: Readonly<Record<string, (size: number) => string>> = {
  'the last of many members stands twice': (size) =>
    `{"resourceType":"Basic","id":"x",${Array.from({ length: size }, (_, at) => `"k${at}":1`).join(',')},"k${size - 1}":1}`,
  'many members': (size) =>
    `{"resourceType":"Basic","id":"x",${Array.from({ length: size }, (_, at) => `"k${at}":1`).join(',')}}`,
  'many members of meta': (size) =>
    `{"resourceType":"Basic","id":"x","meta":{${Array.from({ length: size }, (_, at) => `"k${at}":1`).join(',')}}}`,
  'many empty objects': (size) => `{"resourceType":"Basic","id":"x","a":[${'{},'.repeat(size)}{}]}`,
  'many arrays in one another': (size) => `{"resourceType":"Basic","id":"x","a":${'['.repeat(size)}`,
  'many blanks': (size) => `{"resourceType":"Basic",${'\n'.repeat(size)}"id":"x"}`,
  'many line ends in objects': (size) => `{"resourceType":"Basic","id":"x","a":[${'{\n},'.repeat(size)}1]}`,
  'a string of escapes': (size) => `{"resourceType":"Basic","id":"x","a":"${'\\"'.repeat(size)}"}`,
  'keys of escapes': (size) => `{"resourceType":"Basic","id":"x","${'\\u0061'.repeat(size)}":1}`,
}

for (const [does, sourceOf] of Object.entries(hostile)) {
  it(`work grows no faster than the text: ${does}`, async () => {
    const operations = []
    for (const times of [1, 1, 2, 4, 8]) {
      const source = sourceOf(1_000 * times)
      operations.push(await operationsOf(() => readResourceText(source)))
    }
    const [, once = 0, ...more] = operations
    for (const [index, count] of more.entries())
      assert.ok(count <= once * 2 ** (index + 1) * 1.25 + 1_000, String(operations))
  })
}

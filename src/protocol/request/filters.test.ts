import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { foundLines } from '../../../test/filter/naive/found-lines.fixture.ts'
import { naiveMatches } from '../../../test/filter/naive/matching.fixture.ts'
import { poolContext } from '../../../test/filter/naive/pools.fixture.ts'
import { populationRecords } from '../../../test/filter/naive/records.fixture.ts'
import { witnesses } from '../../../test/filter/naive/witnesses.fixture.ts'
import { grantOf } from '../../access/scope.ts'
import { compileFilters } from '../../filter/compile.ts'
import { parseTypeFilter } from '../../filter/parse/parse.ts'
import { scopeSwitches } from '../../filter/parse/switches.ts'
import { searchParameter, searchParameterCodes } from '../../filter/search-parameter.ts'
import type { GrantedQuery } from '../grant.ts'
import { isChosen } from '../plan/pack-use.ts'
import { coversFile, effectiveFilters } from './filters.ts'
import { readScopeQuery } from './scope-query.ts'

/** For each type the records, and questions (`name=value`) that some of them answer. */
const sources = [...populationRecords(25)].map(([type, texts]) => {
  const resources = texts.map((text) => JSON.parse(text))
  const asked = searchParameterCodes(type)
    .flatMap((code) => witnesses(resources, type, code, searchParameter(type, code)!).map((rest) => `${code}${rest}`))
    .filter((question) => !question.includes('&'))
  return { type, resources, lines: texts.map((text) => Buffer.from(text)), asked }
})

/** As it stands in a scope or a `_typeFilter`. */
const encoded = (question: string): string => question.replace(/=(.*)$/s, (_, value) => `=${encodeURIComponent(value)}`)

test('§10: exported is what is in some granted query and in some requested query', () => {
  const query = fc.array(fc.nat({ max: 1_000_000 }), { minLength: 1, maxLength: 3 })
  const queries = fc.array(query, { maxLength: 3 })
  const counts = { exported: 0, kept: 0, narrowed: 0 }
  fc.assert(
    fc.property(fc.constantFrom(...sources), queries, queries, fc.boolean(), (source, granted, requested, whole) => {
      const { type, resources, lines, asked } = source
      const named = (picks: readonly number[]) => picks.map((pick) => asked[pick % asked.length]!)
      const text = (picks: readonly number[]) => named(picks).map(encoded).join('&')
      const scopes = [
        ...granted.map((picks) => `system/${type}.rs?${text(picks)}`),
        ...(whole ? [`system/${type}.read`] : []),
      ]
      fc.pre(scopes.length > 0)
      const parsed = parseTypeFilter(
        requested.length === 0 ? [] : [{ text: requested.map((picks) => `${type}?${text(picks)}`).join(','), at: 'x' }],
        { types: [type], exported: [], switches: scopeSwitches },
      )
      assert.deepEqual(parsed.problems, [])
      const grant = grantOf('t', 'c', scopes, { wildcards: true })
      assert.deepEqual(grant.unusable, [])
      const frozen = effectiveFilters([type], Object.fromEntries(parsed.queries), grant)
      // As the job's row keeps it.
      const lists = JSON.parse(JSON.stringify(frozen))[type]
      assert.equal(lists === undefined, whole && requested.length === 0, 'only a whole type has no filter')
      const filter = compileFilters(lists ?? [], { bases: [poolContext.base], now: poolContext.now })

      const some = (many: readonly (readonly number[])[], record: (typeof resources)[number]) =>
        many.some((picks) => named(picks).every((one) => naiveMatches(record, type, one, poolContext)))
      const passing = new Set(foundLines(filter, lines))
      for (const [index, record] of resources.entries()) {
        const expected = (whole || some(granted, record)) && (requested.length === 0 || some(requested, record))
        assert.equal(passing.has(index), expected, `${scopes.join(' ')} on ${JSON.stringify(record)}`)
        counts[expected ? 'exported' : 'kept']++
      }
      if (!whole && requested.length > 0) counts.narrowed++
    }),
    { numRuns: 1000 },
  )
  assert.ok(counts.exported > 500 && counts.kept > 500 && counts.narrowed > 100, JSON.stringify(counts))
})

const goal = (text: string) => readScopeQuery('Goal', text) as GrantedQuery

const files: readonly (readonly [why: string, held: string[], lists: string[][] | undefined, covered: boolean])[] = [
  ['a file of the whole type', ['category=a'], undefined, false],
  ['narrowed by the same query', ['category=a'], [['category=a']], true],
  ['by one of several', ['category=a', 'category=b'], [['category=b']], true],
  ['by more than is held', ['category=a'], [['category=a', 'category=b']], false],
  ['by another', ['category=a'], [['category=b']], false],
  [
    'by what was asked for and by more than is held',
    ['category=a'],
    [['description=x'], ['category=a', 'category=b']],
    false,
  ],
  ['by what was asked for, which is held', ['category=a'], [['category=a'], ['category=a', 'category=b']], true],
]

for (const [why, held, lists, covered] of files) {
  test(`§10, D20b: a file ${why} ${covered ? 'may' : 'may not'} be fetched`, () => {
    assert.equal(
      coversFile(
        held.map(goal),
        lists?.map((queries) => queries.map(goal)),
      ),
      covered,
    )
  })
}

test('D20b: the order of members that a database gives does not matter', () => {
  const [one, other] = [goal('category=http://a.example|b'), goal('category=http://a.example|b')]
  const turned = JSON.parse(JSON.stringify(one), (_, value) =>
    typeof value === 'object' && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).reverse()) : value,
  )
  assert.notEqual(JSON.stringify(turned), JSON.stringify(one))
  assert.equal(coversFile([other], [[turned]]), true)
})

test('a type that may not be read has no filter, but throws', () => {
  assert.throws(() => effectiveFilters(['Goal'], {}, grantOf('t', 'c', ['system/Patient.read'], { wildcards: true })))
})

test('§10: what a granular scope narrows is never copied unread', () => {
  const types = ['Patient', 'Goal', 'Condition', 'Practitioner'] as const
  const chosen = (scopes: string) => {
    const grant = grantOf('t', 'c', scopes.split(' '), { wildcards: true })
    const request = { types, filters: effectiveFilters(types, {}, grant), provenance: 'relevant' as const }
    return types.filter((type) => isChosen(request, type))
  }
  assert.deepEqual(chosen('system/*.rs'), [])
  const narrowed = 'system/Goal.rs?category=a system/Patient.read system/Condition.read system/Practitioner.read'
  assert.deepEqual(chosen(narrowed), ['Goal'])
})

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { compileFilter } from '../../../src/filter/compile.ts'
import { parseTypeFilter } from '../../../src/filter/parse/parse.ts'
import { hl7Switches } from '../../../src/filter/parse/switches.ts'
import { foundLines } from '../naive/found-lines.fixture.ts'
import { naiveMatches } from '../naive/matching.fixture.ts'

/** Resources by id, without what all have. */
export type Bodies = Readonly<Record<string, object>>

/** A row: why, the query after `Type?`, and the ids it finds, blank-separated. `own` rows are beyond the naive evaluation. */
export type Row = readonly [why: string, query: string, ids: string, own?: 'own']

export const base = 'https://ehr.example/r4/acme'
const now = new Date('2026-01-01T00:00:00Z')

export const unknown = {
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
}

/** Tests each row: the ids by hand, by our filter and by the naive evaluation are the same. */
export function sharp(type: string, bodies: Bodies, rows: readonly Row[]): void {
  const resources = Object.entries(bodies).map(([id, body]) => ({ resourceType: type, id, ...body }))
  for (const [why, query, ids, own] of rows) {
    it(`${why}: ${type}?${query}`, () => {
      const values = [{ text: `${type}?${query}`, at: 'Parameters' }]
      const { queries, problems } = parseTypeFilter(values, { types: [type], exported: [], switches: hl7Switches })
      assert.deepEqual(problems, [])
      // As the job row keeps it.
      const kept = JSON.parse(JSON.stringify(queries.get(type)))
      const lines = resources.map((one) => Buffer.from(JSON.stringify(one)))
      const found = foundLines(compileFilter(kept, { bases: [base], now }), lines).map((index) => resources[index]!)
      assert.equal(found.map(({ id }) => id).join(' '), ids)
      if (own === 'own') return
      const naive = resources.filter((one) =>
        query.split('&').every((part) => naiveMatches(one, type, decodeURIComponent(part), { base, now })),
      )
      assert.equal(naive.map(({ id }) => id).join(' '), ids, 'the naive evaluation')
    })
  }
}

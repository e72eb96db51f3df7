import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { parseTypeFilter } from '../../../filter/parse/parse.ts'
import { hl7Switches } from '../../../filter/parse/switches.ts'
import type { ExportRequest } from '../../../protocol/request/export-request.ts'
import { sectionBytesMin } from '../../../records/packs/sections/sections.ts'
import { openPacksAndVersions } from './packs-and-versions.fixture.ts'

const each = 12
/** So many of these are more than a section must have. */
const padding = 'x'.repeat(sectionBytesMin / each)

/** Records of one patient that stand in several sections of their packs, and some that are too few for one. */
describe('packs of several sections', () => {
  let patient: Awaited<ReturnType<typeof openPacksAndVersions>>
  let middle: number

  before(async () => {
    patient = await openPacksAndVersions()
    await patient.put({ resourceType: 'Patient', id: 'p' }, ...records(0, each))
    middle = await patient.now()
    await patient.put(...records(each, 2 * each))
  })
  after(() => patient.close())

  /** Of each kind those with the numbers from `start` on. */
  const records = (start: number, end: number) =>
    Array.from({ length: end - start }, (_, index) => start + index + 10).flatMap((n) => [
      record('Observation', `${n}-l`, { category: category('laboratory'), status: n % 2 ? 'final' : 'amended' }),
      record('Observation', `${n}-v`, { category: category('vital-signs'), status: 'final' }),
      record('Condition', `${n}-c`, { category: category('problem-list-item') }),
      provenance(`${n}-o`, `Observation/${n}-l`),
      provenance(`${n}-a`, `Condition/${n}-c`),
      ...(n % 10 === 0 ? [record('Observation', `${n}-n`, {}), provenance(`${n}-b`, `Condition/${n}-c`, 2027)] : []),
      ...(n % 10 === 1 ? [record('Observation', `${n}-e`, { category: [] })] : []),
    ])
  const category = (code: string) => [{ coding: [{ system: 'http://hl7.org/category', code }] }]
  const record = (resourceType: string, id: string, more: object) => ({
    ...{ resourceType, id, ...more, subject: { reference: 'Patient/p' }, note: [{ text: padding }] },
  })
  const provenance = (id: string, reference: string, year = 2026) => ({
    ...{ resourceType: 'Provenance', id, recorded: `${year}-01-01T00:00:00Z`, target: [{ reference }] },
    text: { div: padding },
  })

  const types = ['Condition', 'Observation', 'Provenance']
  const filters = (...queries: string[]): Partial<ExportRequest> => {
    const texts = queries.map((text) => ({ text, at: 'x' }))
    const { queries: found } = parseTypeFilter(texts, { types, exported: types, switches: hl7Switches })
    return { filters: Object.fromEntries([...found].map(([type, list]) => [type, [list]])) } as never
  }

  /** The same lines in the same order out of packs and out of versions; how many of each type. */
  async function counts(more: Partial<ExportRequest>): Promise<Record<string, number>> {
    await patient.pack()
    const packed = await patient.exportedLines({ types, ...more } as never)
    await patient.dropPacks()
    assert.deepEqual(packed, await patient.exportedLines({ types, ...more } as never))
    return Object.fromEntries(Object.entries(packed).map(([type, lines]) => [type, lines.length]))
  }

  it('hold what is alike together', async () => {
    await patient.pack()
    const { Observation, Condition, Provenance } = await patient.exported({ types } as never)
    const kinds = (ids: readonly string[]) => ids.map((id) => id.slice(3)).join('')
    assert.match(kinds(Observation!), /^n{3}e{3}l{24}v{24}$/)
    assert.match(kinds(Condition!), /^c{24}$/)
    assert.match(kinds(Provenance!), /^o{24}(a|b)+$/)
  })

  it('give the same blocks of patients as versions do', async () => {
    for (const more of [{}, filters('Observation?category=laboratory'), { since: middle }, { provenance: 'latest' }]) {
      const { Parameters } = await counts({ organizedBy: 'Patient', ...more } as never)
      assert.ok(Parameters! > 24)
    }
  })

  it('give the same in every shape as versions do', async () => {
    assert.deepEqual(await counts({}), { Condition: 24, Observation: 54, Provenance: 51 })
    assert.deepEqual(await counts(filters('Observation?category=laboratory')), {
      ...{ Condition: 24, Observation: 24, Provenance: 51 },
    })
    assert.deepEqual(await counts(filters('Observation?category=laboratory&status=final')), {
      ...{ Condition: 24, Observation: 12, Provenance: 39 },
    })
    assert.deepEqual(await counts(filters('Observation?category:not=laboratory')), {
      ...{ Condition: 24, Observation: 30, Provenance: 27 },
    })
    assert.deepEqual(await counts(filters('Observation?category:missing=true', 'Observation?status=amended')), {
      ...{ Condition: 24, Observation: 18, Provenance: 39 },
    })
    assert.deepEqual(await counts({ types: ['Condition', 'Provenance'] }), { Condition: 24, Provenance: 27 })
    assert.deepEqual(await counts({ provenance: 'latest' }), { Condition: 24, Observation: 54, Provenance: 48 })
    assert.deepEqual(await counts({ types: ['Condition', 'Provenance'], provenance: 'latest' }), {
      ...{ Condition: 24, Provenance: 24 },
    })
    assert.deepEqual(await counts({ since: middle }), { Condition: 12, Observation: 26, Provenance: 25 })
    assert.deepEqual(await counts({ until: middle + 1, ...filters('Observation?category=vital-signs') }), {
      ...{ Condition: 12, Observation: 12, Provenance: 14 },
    })
    assert.deepEqual(await counts({ elements: { Observation: ['status'] } }), {
      ...{ Condition: 24, Observation: 54, Provenance: 51 },
    })
  })

  it('are all that blocks of patients and whole sections are read from', async () => {
    await patient.pack()
    const { rowCount } = await patient.store.pool.query(`update record set body = 'not to be read' where owner = 'p'`)
    assert.ok(rowCount! > 0)
    const organized = await patient.exportedLines({ types, organizedBy: 'Patient' } as never)
    assert.equal(organized.Parameters!.length, 1 + 24 + 54 + 51)
    const laboratory = await patient.exportedLines({ types, ...filters('Observation?category=laboratory') } as never)
    for (const line of [...Object.values(organized), ...Object.values(laboratory)].flat())
      assert.notEqual(line, 'not to be read')
  })
})

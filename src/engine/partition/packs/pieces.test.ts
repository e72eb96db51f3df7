import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { ExportRequest } from '../../../protocol/request/export-request.ts'
import { openPacksAndVersions } from './packs-and-versions.fixture.ts'

/** Records of one patient that need more than one pack: their texts do not deflate. */
describe('packs of several pieces', () => {
  let patient: Awaited<ReturnType<typeof openPacksAndVersions>>

  before(async () => {
    patient = await openPacksAndVersions()
    await patient.put(
      { resourceType: 'Patient', id: 'p' },
      ...Array.from({ length: 19 }, (_, n) => observation(`a${n + 10}`)),
    )
    await patient.put(provenance('v1', 'Observation/a11'))
  })
  after(() => patient.close())

  const noise = (bytes: number) => Array.from({ length: bytes / 36 }, () => randomUUID()).join('')
  const observation = (id: string, bytes = 100_000) => ({
    ...{ resourceType: 'Observation', id, subject: { reference: 'Patient/p' }, note: [{ text: noise(bytes) }] },
  })
  const provenance = (id: string, reference: string) => ({
    ...{ resourceType: 'Provenance', id, recorded: '2026-01-01T00:00:00Z', target: [{ reference }] },
  })

  /** The same out of packs and, when there are none, out of versions. */
  async function same(more: Partial<ExportRequest>, expected: Record<string, string[]>): Promise<void> {
    await patient.pack()
    const { rows } = await patient.store.pool.query(`select from pack where type = 'Observation'`)
    assert.ok(rows.length > 1)
    assert.deepEqual(await patient.exported(more), expected)
    await patient.dropPacks()
    assert.deepEqual(await patient.exported(more), expected)
  }

  it('of which one is older than _since bring along no Provenance of it', async () => {
    const since = await patient.now()
    await patient.put(observation('z1', 300_000), provenance('v2', 'Observation/z1'))
    await same({ since }, { Observation: ['z1'], Provenance: ['v2'] })
  })

  it('of which one is partly later than _since, and one wholly', async () => {
    const since = await patient.now()
    await patient.put(observation('a15'), observation('z1', 300_000))
    await same({ since }, { Observation: ['a15', 'z1'], Provenance: ['v2'] })
    await same({ until: since }, { Observation: [...first(), 'a16', 'a17', 'a18', ...last()], Provenance: ['v1'] })
  })
  const first = () => ['a10', 'a11', 'a12', 'a13', 'a14']
  const last = () => Array.from({ length: 10 }, (_, n) => `a${n + 19}`)

  it('whose ids are written with escapes are known by them', async () => {
    const record = { ...observation('o', 10), id: 'ox' }
    await patient.put(JSON.stringify(record).replace('"ox"', '"\\u006fx"'), provenance('v3', 'Observation/ox'))
    const filters = { Observation: [[{ type: 'Observation', criteria: [] }]] }
    const { Provenance } = await patient.exported({ filters } as never)
    assert.deepEqual(Provenance, ['v1', 'v2', 'v3'])
    await patient.pack()
    assert.deepEqual((await patient.exported({ filters } as never)).Provenance, ['v1', 'v2', 'v3'])
  })
})

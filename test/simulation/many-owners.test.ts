import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { clinicalRecord, patientRecord, provenanceRecord, type SimulatedChange, simulatedTypes } from './changes.ts'
import { checkExport } from './check-export.ts'
import type { ModelRequest } from './model.ts'
import { type SimulatedTenant, Simulation } from './simulation.ts'

/** Owners whose versions are read together (`waitingOwnersMax`). */
const togetherMax = 256

describe('exports of many owners', () => {
  let simulation: Simulation
  before(async () => {
    simulation = await Simulation.start()
  })
  after(() => simulation.stop())

  /** The lines of each type in their order; checked against the model. */
  async function exported({ name, model }: SimulatedTenant, request: ModelRequest) {
    const job = await simulation.startExport(name, request)
    await simulation.completed(job.id)
    const parts = await simulation.parts(job.id)
    checkExport(model, job, parts)
    const lines: Record<string, string[]> = {}
    for (const { type, lines: more } of parts) lines[type] = [...(lines[type] ?? []), ...more]
    return lines
  }

  /** The same lines in the same order without packs, with all and with some of them. */
  async function assertSame(place: SimulatedTenant, requests: readonly ModelRequest[]): Promise<void> {
    const { pool } = simulation
    const versions: Record<string, string[]>[] = []
    for (const request of requests) versions.push(await exported(place, request))
    await simulation.pack()
    for (const [index, request] of requests.entries()) assert.deepEqual(await exported(place, request), versions[index])
    for (const share of [20, 2]) {
      const dropped = `delete from pack where tenant = $1 and abs(hashtext(owner || type)) % ${share} = 0`
      await pool.query(dropped, [place.name])
      for (const [index, request] of requests.entries())
        assert.deepEqual(await exported(place, request), versions[index])
    }
    assert.deepEqual(simulation.complaints, [])
  }

  async function write(place: SimulatedTenant, changes: readonly SimulatedChange[]): Promise<void> {
    for (let at = 0; at < changes.length; at += 100) await simulation.write(place, changes.slice(at, at + 100))
  }

  it('are the same however many are read together, also where Provenances belong to owners far apart', async () => {
    const ids = Array.from({ length: 2 * togetherMax + 40 }, (_, index) => `p${String(index).padStart(4, '0')}`)
    const idAt = (index: number) => ids[index % ids.length]!
    const place = simulation.newTenant()
    const clinical: SimulatedChange[] = []
    const provenances: SimulatedChange[] = []
    for (const [index, id] of ids.entries()) {
      if (index % 5 > 0) clinical.push(patientRecord(id))
      if (index % 3 > 0) clinical.push(clinicalRecord(`Condition/c${index}`, `Patient/${id}`))
      if (index % 7 === 0) clinical.push(clinicalRecord(`Observation/o${index}`, `Patient/${id}`))
      if (index % 2 === 0) provenances.push(provenanceRecord(`Provenance/a${index}`, [`Condition/c${index}`]))
      if (index % 10 === 0) {
        const far = `Condition/c${(index + togetherMax + 1) % ids.length}`
        provenances.push(provenanceRecord(`Provenance/b${index}`, [`Patient/${id}`, far, `Observation/o${index}`]))
        provenances.push(provenanceRecord(`Provenance/d${index}`, [`Patient/${idAt(index + 511)}`, `Patient/${id}`]))
      }
    }
    await write(place, clinical)
    const since = place.model.times.at(-1)!
    await write(place, provenances)
    const moved = [2, togetherMax - 2, togetherMax + 2].filter((index) => index % 3 > 0)
    await write(
      place,
      moved.map((index) => clinicalRecord(`Condition/c${index}`, `Patient/${idAt(index + 300)}`)),
    )
    const requests: ModelRequest[] = [
      ...[togetherMax - 1, togetherMax, togetherMax + 1, 2 * togetherMax, ids.length].map(
        (count): ModelRequest => ({
          patients: ids.slice(0, count),
          types: [...simulatedTypes],
          provenance: count % 2 === 0 ? 'latest' : 'relevant',
        }),
      ),
      { patients: ids, types: [...simulatedTypes], provenance: 'relevant', since },
      { patients: ids, types: ['Condition', 'Provenance'], provenance: 'latest' },
    ]
    await assertSame(place, requests)
  })

  it('are the same when packs that wait are heavier than may be held, and when some are too heavy to be made', async () => {
    const place = simulation.newTenant()
    const ids = Array.from({ length: 40 }, (_, index) => `p${100 + index}`)
    for (const [index, id] of ids.entries()) {
      const records = [patientRecord(id), heavyRecord(`Condition/c${index}`, id, 400_000)]
      // Packed they weigh 4.8 and 3 MB; up to 4 MiB can be.
      const count = index === 7 ? 16 : index === 9 ? 10 : 0
      for (let number = 0; number < count; number++) {
        records.push(heavyRecord(`Procedure/x${index}-${number}`, id, 400_000))
      }
      await simulation.write(place, records)
    }
    const request: ModelRequest = { patients: ids, types: [...simulatedTypes], provenance: 'relevant' }
    await assertSame(place, [request])
    await simulation.pool.query('delete from pack where tenant = $1', [place.name])
    await simulation.pool.query(
      'insert into unpacked (tenant, owner, type) select $1, $2, type from unnest($3::text[]) as type',
      [place.name, 'p109', ['Procedure']],
    )
    await simulation.pack()
    const { rows } = await simulation.pool.query('select owner, type from pack where tenant = $1 and number = 0', [
      place.name,
    ])
    assert.deepEqual(rows, [{ owner: 'p109', type: 'Procedure' }])
  })
})

/** A record that deflate shrinks by a quarter only. */
const heavyRecord = (key: string, owner: string, bytes: number): SimulatedChange =>
  clinicalRecord(key, `Patient/${owner}`, randomBytes(bytes * 0.75).toString('base64'))

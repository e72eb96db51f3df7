import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { batch, clinicalRecord, patientIds, provenanceRecord, type SimulatedChange, simulatedTypes } from './changes.ts'
import { checkExport, deletedBy } from './check-export.ts'
import type { ModelRequest } from './model.ts'
import { elementItems } from './model-elements.ts'
import { type SimulatedJob, type SimulatedTenant, Simulation } from './simulation.ts'
import { within } from './within.ts'

/** Enough runs for an idle machine; a busy one begins no more at the time, having checked fewer. */
const interleavingsMax = 60
const interleavingMsMax = 15_000
const chainsMax = 6
const chainMsMax = 8_000
const collisions = 60

/** Where `_since` of an export comes from: the time of an earlier export of the tenant, or of a write, counted back. */
interface Since {
  readonly of: 'export' | 'write'
  readonly back: number
}

/** An export to start. `split` gives each listed patient a partition of its own. */
interface Order {
  readonly request: Omit<ModelRequest, 'since' | 'until'>
  readonly since: Since | undefined
  readonly until: Since | undefined
  readonly split: boolean
}

/** One step of an interleaving. Two tenants hold records of the same names; the batches of one step are written at the same time. */
type Step = { readonly tenant: 0 | 1 } & (
  | { readonly kind: 'write'; readonly batches: readonly SimulatedChange[][] }
  | { readonly kind: 'export'; readonly order: Order }
  | { readonly kind: 'prune' }
  | { readonly kind: 'pack'; readonly whileOthersGoOn: boolean }
  | { readonly kind: 'wait' }
)

const everything = { patients: patientIds, types: simulatedTypes, provenance: 'relevant', deletions: true } as const

const whole = { request: everything, since: undefined, until: undefined } as const

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })

const asked = fc.record({
  reach: maybe(fc.constantFrom('patients' as const, 'system' as const)),
  deletions: maybe(fc.constant(true as const)),
  elements: maybe(fc.subarray(elementItems, { minLength: 1 })),
  organizedBy: maybe(fc.constant('Patient' as const)),
  patients: fc.oneof(
    { weight: 1, arbitrary: fc.constant([...patientIds, 'nobody']) },
    { weight: 3, arbitrary: fc.shuffledSubarray(patientIds, { minLength: 1 }) },
  ),
  types: fc.oneof(
    { weight: 6, arbitrary: fc.constant([...simulatedTypes]) },
    { weight: 2, arbitrary: fc.subarray([...simulatedTypes], { minLength: 9 }) },
    { weight: 1, arbitrary: fc.constant(['Provenance', 'Practitioner']) },
  ),
  provenance: fc.constantFrom('relevant' as const, 'latest' as const),
})

/** Parameters that are not given are not there, as in a request that was read. */
const request = asked.map(
  (members) =>
    Object.fromEntries(
      Object.entries(members).filter(([, value]) => value !== undefined),
    ) as unknown as Order['request'],
)

const moment = fc.record({ of: fc.constantFrom('export' as const, 'write' as const), back: fc.nat(4) })

const order: fc.Arbitrary<Order> = fc.record({
  request,
  since: fc.option(moment, { nil: undefined }),
  until: maybe(moment),
  split: fc.boolean(),
})

const tenant = fc.constantFrom(0 as const, 0 as const, 0 as const, 1 as const)
const of = <K extends string>(kind: K) => ({ tenant, kind: fc.constant(kind) })
const batches = fc.array(batch, { minLength: 1, maxLength: 3 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ ...of('write'), batches }) },
  { weight: 3, arbitrary: fc.record({ ...of('export'), order }) },
  { weight: 1, arbitrary: fc.record(of('prune')) },
  { weight: 3, arbitrary: fc.record({ ...of('pack'), whileOthersGoOn: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record(of('wait')) },
)
const steps = fc.array(step, { minLength: 4, maxLength: 24 })
const writers = fc.array(fc.array(batch, { minLength: 5, maxLength: 20 }), { minLength: 2, maxLength: 3 })

describe('exports among writes', () => {
  let simulation: Simulation
  before(async () => {
    simulation = await Simulation.start()
  })
  after(() => simulation.stop())

  async function take(
    taken: Step,
    place: SimulatedTenant,
    jobs: SimulatedJob[],
    aside: Promise<void>[],
  ): Promise<void> {
    if (taken.kind === 'write') {
      await Promise.all(taken.batches.map((changes) => simulation.write(place, changes)))
    } else if (taken.kind === 'export') {
      jobs.push(await start(taken.order, place, jobs))
    } else if (taken.kind === 'prune') {
      await simulation.prune()
    } else if (taken.kind === 'pack') {
      const packing = simulation.pack()
      if (taken.whileOthersGoOn) aside.push(packing)
      else await packing
    } else if (jobs.length > 0) {
      await simulation.completed(jobs.at(-1)!.id)
    }
  }

  function start(order: Order, { name, model }: SimulatedTenant, jobs: readonly SimulatedJob[]) {
    const { request, split } = order
    const timeOf = (moment: Since | undefined) =>
      moment && (moment.of === 'export' ? jobs.map(({ time }) => time) : model.times).at(-1 - moment.back)
    const [since, until] = [timeOf(order.since), timeOf(order.until)]
    const window = { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) }
    const listed = split && request.reach === undefined
    const groups = listed ? [...request.patients].sort().map((patient) => [patient]) : undefined
    return simulation.startExport(name, { ...request, ...window }, groups)
  }

  async function check(place: SimulatedTenant, job: SimulatedJob): Promise<Map<string, string>> {
    await simulation.completed(job.id)
    return checkExport(place.model, job, await simulation.parts(job.id))
  }

  async function interleave(taken: readonly Step[]): Promise<void> {
    const tenants = [simulation.newTenant(), simulation.newTenant()] as const
    const jobs: [SimulatedJob[], SimulatedJob[]] = [[], []]
    const aside: Promise<void>[] = []
    for (const each of taken) await take(each, tenants[each.tenant], jobs[each.tenant], aside)
    await Promise.all(aside)
    for (const number of [0, 1] as const) {
      jobs[number].push(await start({ ...whole, split: true }, tenants[number], []))
      for (const job of jobs[number]) await check(tenants[number], job)
    }
    assert.deepEqual(simulation.complaints, [])
  }

  /** Starts exports that each begin where the one before ended, for as long as the writers write, and one more. */
  async function chain(lists: readonly SimulatedChange[][][], wait: number): Promise<void> {
    const place = simulation.newTenant()
    let writing = true
    const write = async (list: SimulatedChange[][]) => {
      for (const changes of list) await simulation.write(place, changes)
    }
    const written = Promise.all(lists.map(write)).finally(() => {
      writing = false
    })
    const packed = simulation.pack(() => writing)
    written.catch(() => {})

    const jobs: SimulatedJob[] = []
    const next = async () => {
      const since = { of: 'export', back: 0 } as const
      jobs.push(await start({ ...whole, since, split: false }, place, jobs))
      if (jobs.length % (wait + 1) === 0) await simulation.completed(jobs.at(-1)!.id)
    }
    while (writing) await next()
    await written
    await packed
    await next()
    await checkChain(place, jobs)
    assert.deepEqual(simulation.complaints, [])
  }

  /**
   * Nothing is repeated, nothing is missed: applied one after the other, with their deletions, the exports give the state at the last
   * one's time. Only what had left the patients stays behind.
   */
  async function checkChain(place: SimulatedTenant, jobs: readonly SimulatedJob[]): Promise<void> {
    const seen = new Set<string>()
    const replica = new Map<string, string>()
    for (const job of jobs) {
      for (const [key, line] of ofPatients(await check(place, job))) {
        assert.ok(!seen.has(line), `${key} comes twice in the same version`)
        seen.add(line)
        replica.set(key, line)
      }
      for (const key of deletedBy(await simulation.parts(job.id))) replica.delete(key)
    }
    const isLive = place.model.isLiveAt(jobs.at(-1)!.time)
    const ownersOf = place.model.ownersAt(jobs.at(-1)!.time)
    for (const key of replica.keys()) {
      assert.ok(isLive(key) || ownersOf(key).length === 0, `${key} was deleted, and no export told it`)
    }
    for (const [key, line] of ofPatients(place.model.expectedExport(everything, jobs.at(-1)!.time).lines)) {
      assert.equal(replica.get(key), line, `${key} is missing`)
    }
  }

  /** What `_since` is about; Provenances and referenced records follow the records of patients, whatever their own time. */
  const ofPatients = (lines: ReadonlyMap<string, string>) =>
    [...lines].filter(([key]) => !/^(Provenance|Location|Organization|Practitioner)\//.test(key))

  /** Writes a Provenance at the same time as another write of its target, again and again. */
  async function collide(before: string | undefined, after: string): Promise<void> {
    const place = simulation.newTenant()
    for (let number = 0; number < collisions; number++) {
      const target = `Condition/c${number}`
      if (before !== undefined) await simulation.write(place, [clinicalRecord(target, before)])
      await Promise.all([
        simulation.write(place, [provenanceRecord(`Provenance/v${number}`, [target])]),
        simulation.write(place, [clinicalRecord(target, after)]),
      ])
    }
    const lines = await check(place, await start({ ...whole, split: true }, place, []))
    assert.equal([...lines.keys()].filter((key) => key.startsWith('Provenance/')).length, collisions)
  }

  for (const clock of ['runs', 'stands still'] as const) {
    describe(`while the clock ${clock}`, () => {
      before(async () => {
        if (clock === 'stands still') await simulation.stopClock()
      })

      it('give the state of the store at their transactionTime, whatever else goes on', async () => {
        const property = fc.asyncProperty(steps, within(interleavingMsMax, interleave))
        await fc.assert(property, { numRuns: interleavingsMax })
      })

      it('partition the changes when each begins where the one before ended, while others write', async () => {
        const property = fc.asyncProperty(writers, fc.nat(4), within(chainMsMax, chain))
        await fc.assert(property, { numRuns: chainsMax })
      })

      it('have each Provenance once, when its target arrives as it is written', () => collide(undefined, 'Patient/p1'))
      it('have each Provenance once, when its target moves as it is written', () => collide('Patient/p0', 'Patient/p1'))
      it('have each Provenance once, when its target gets its first patient as it is written', () =>
        collide('Group/g', 'Patient/p1'))
    })
  }
})

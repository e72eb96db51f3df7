import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { openTestStore } from '../../../database/store.fixture.ts'
import { transaction } from '../../../database/transaction.ts'
import { readEntries } from '../../../fhir/bundle/bundle-entries.ts'
import { profiles } from '../../../protocol/profile.ts'
import { draftOf } from '../../../records/draft.ts'
import { readCurrent } from '../../../records/read.ts'
import type { Change } from '../../../records/write/change.ts'
import { write } from '../../../records/write/write.ts'
import type { Caller } from '../../caller.ts'
import { stepOf } from './entry-step.ts'
import { type NaiveEntry, type NaiveResult, type NaiveStore, naiveTransaction } from './naive-bundle.fixture.ts'
import { type Planned, planOf } from './plan.ts'
import { questionsOf, type StoreView, viewOf } from './store-view.ts'

const base = 'http://here/r4/clinic'
const caller: Caller = {
  grant: {
    tenant: 'clinic',
    client: 'c',
    system: true,
    canRead: () => true,
    readable: () => 'all',
    scopes: [],
    canWrite: () => true,
    unusable: [],
  },
  tenant: 'clinic',
  base,
  profile: profiles.hl7,
}

const uuid = 'urn:uuid:2f1e6a4e-6a51-4f4c-9d0e-1f6c2a6b7c8'
const ids = ['a', 'b']
const types = ['Patient', 'Condition']
const values = ['1', '2', '3']
const of = (...texts: string[]) => fc.constantFrom(...texts)
const type = of(...types)
const id = of(...ids)
const named = fc.tuple(type, id).map((parts) => parts.join('/'))
const condition = of(...values).map((value) => `identifier=s|${value}`)

const fullUrl = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  { weight: 2, arbitrary: fc.tuple(of('http://x/fhir', 'http://y'), named).map((parts) => parts.join('/')) },
  { weight: 2, arbitrary: of(`${uuid}a`, `${uuid}A`, `${uuid}b`, 'urn:oid:1.2') },
  of('http://x/fhir/Patient/a/_history/2'),
)
const reference = fc.oneof(
  { weight: 3, arbitrary: named },
  fc.tuple(of('http://x/fhir', 'http://y', base), named).map((parts) => parts.join('/')),
  named.map((name) => `${name}/_history/2`),
  fc.tuple(type, condition).map((parts) => parts.join('?')),
  of(`${uuid}a`, `${uuid}A`, `${uuid}b`, 'urn:oid:1.2', 'urn:oid:1.3', '#contained'),
)
const identifier = fc.subarray(values, { maxLength: 2 }).map((found) => found.map((value) => ({ system: 's', value })))
const content = fc.record(
  { id, identifier, subject: reference.map((text) => ({ reference: text })) },
  { requiredKeys: [] },
)

const entry: fc.Arbitrary<NaiveEntry> = fc
  .record({ type, content, fullUrl, condition, id, kind: fc.integer({ min: 0, max: 5 }) })
  .map(({ type: resourceType, content: members, fullUrl: url, condition: query, id: own, kind }) => {
    const common = url === undefined ? {} : { fullUrl: url }
    const resource = { resourceType, ...members }
    switch (kind) {
      case 0:
        return { ...common, resource, request: { method: 'POST', url: resourceType } }
      case 1:
        return { ...common, resource, request: { method: 'POST', url: resourceType, ifNoneExist: query } }
      case 2:
        return { ...common, resource, request: { method: 'PUT', url: `${resourceType}?${query}` } }
      case 3:
        return { ...common, request: { method: 'DELETE', url: `${resourceType}/${own}` } }
      case 4:
        return { ...common, request: { method: 'DELETE', url: `${resourceType}?${query}` } }
      default:
        return {
          ...common,
          resource: { ...resource, id: own },
          request: { method: 'PUT', url: `${resourceType}/${own}` },
        }
    }
  })
const entries = fc.array(entry, { maxLength: 5 })
const store: fc.Arbitrary<NaiveStore> = fc
  .uniqueArray(fc.tuple(named, fc.subarray(values, { maxLength: 2 })), { selector: ([key]) => key, maxLength: 4 })
  .map((records) => new Map(records))

const viewOfNaive = (records: NaiveStore): StoreView => ({
  identified: (query) =>
    [...records]
      .filter(([key, found]) => key.startsWith(`${query.type}/`) && query.system === 's' && found.includes(query.value))
      .map(([key]) => ({ id: key.split('/')[1]!, version: 1, updated: new Date(0) })),
  has: (key) => records.has(key),
})

const bundleOf = (list: readonly NaiveEntry[]): string =>
  JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: list })

const stepsOf = (list: readonly NaiveEntry[]) =>
  readEntries(bundleOf(list)).entries!.map((each) => stepOf(each, caller))

/** The same form as that of the naive result: ids that the server gave are named by the entry that they are of. */
function told(planned: readonly Planned[], textOf: (change: Change) => string): NaiveResult {
  if (planned.some(({ kind }) => kind === 'refused')) return undefined
  const given = new Map<string, string>()
  for (const [at, found] of planned.entries()) {
    if (found.kind !== 'change' || found.change.kind !== 'put' || ids.includes(found.change.draft.id)) continue
    given.set(found.key, `${found.change.draft.type}/new ${at}`)
  }
  const shown = (key: string): string => given.get(key) ?? key
  return planned.map((found) => {
    if (found.kind === 'found') return { key: shown(found.key), reference: undefined }
    if (found.kind !== 'change') return { key: undefined, reference: undefined }
    const text = found.change.kind === 'put' ? JSON.parse(textOf(found.change)).subject?.reference : undefined
    return { key: shown(found.key), reference: text === undefined ? undefined : shown(text) }
  })
}

const textOfDraft = (change: Change): string =>
  change.kind === 'put' ? change.draft.text.bytes.toString('utf8').replace('\0,', '').replace('\0', '') : 'null'

/** The patient whom a record belongs to, by its reference. */
function ownerOf(key: string, text: string | undefined): string {
  if (key.startsWith('Patient/')) return key.slice('Patient/'.length)
  const local = text?.startsWith(`${base}/`) ? text.slice(base.length + 1) : text
  return /^Patient\/([A-Za-z0-9\-.]+)(?:\/_history\/.*)?$/.exec(local ?? '')?.[1] ?? ''
}

describe('the plan of a transaction', () => {
  it('means the same records as doing it entry by entry, or fails as that does (property)', () => {
    let done = 0
    fc.assert(
      fc.property(entries, store, (list, records) => {
        const planned = planOf(stepsOf(list), viewOfNaive(records), 'transaction', [base])
        const expected = naiveTransaction(list, records)
        assert.deepEqual(told(planned, textOfDraft), expected)
        if (expected) done++
        for (const found of planned) {
          if (found.kind !== 'change' || found.change.kind !== 'put' || !expected) continue
          const { draft } = found.change
          assert.equal(
            draft.owners?.join(),
            ownerOf(draft.key, JSON.parse(textOfDraft(found.change)).subject?.reference),
          )
        }
      }),
      { numRuns: 5_000 },
    )
    assert.ok(done > 500, `only ${done} transactions succeeded`)
  })
})

describe('a planned transaction in the store', () => {
  let scratch: Awaited<ReturnType<typeof openTestStore>>

  before(async () => {
    scratch = await openTestStore()
  })

  after(() => scratch.close())

  it('leaves the records of the naive one (property)', async () => {
    let runs = 0
    await fc.assert(
      fc.asyncProperty(entries, store, async (list, records) => {
        const tenant = `t${runs++}`
        const { pool } = scratch
        const seed = [...records].map(([key, found]): Change => {
          const [resourceType, own] = key.split('/')
          const resource = { resourceType, id: own, identifier: found.map((value) => ({ system: 's', value })) }
          const draft = draftOf(JSON.stringify(resource), [base])
          assert.ok('text' in draft)
          return { kind: 'put', draft }
        })
        await write(pool, tenant, seed)
        const steps = stepsOf(list)
        const questions = questionsOf(steps)
        const view = await transaction(pool, (client) => viewOf(client, tenant, questions))
        const planned = planOf(steps, view, 'transaction', [base])
        const changes = planned.flatMap((found) => (found.kind === 'change' ? [found.change] : []))
        const bodies = new Map<Change, string>()
        if (planned.every(({ kind }) => kind !== 'refused')) {
          await write(pool, tenant, changes)
          for (const change of changes) {
            const { type: of, id: own } = change.kind === 'put' ? change.draft : change.key
            bodies.set(change, String((await readCurrent(pool, tenant, of, own, () => {}))?.body ?? 'null'))
          }
        }
        assert.deepEqual(
          told(planned, (change) => bodies.get(change)!),
          naiveTransaction(list, records),
        )
      }),
      { numRuns: 60 },
    )
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestStore } from '../../../database/store.fixture.ts'
import { transaction } from '../../../database/transaction.ts'
import { draftOf } from '../../../records/draft.ts'
import type { Change } from '../../../records/write/change.ts'
import { write } from '../../../records/write/write.ts'
import type { Step, Target } from './step.ts'
import { AskedIdentifiers, queryKey, questionsOf, viewOf } from './store-view.ts'

const tenant = 'clinic'

function put(type: string, id: string): Change {
  const draft = draftOf(JSON.stringify({ resourceType: type, id, identifier: [{ system: 's', value: 'v' }] }), [])
  assert.ok('text' in draft)
  return { kind: 'put', draft }
}

const query = (type: string) => ({ type, system: 's', value: 'v' })

test('changes of one type do not make more records of another be looked at', async (t) => {
  const store = await openTestStore()
  t.after(() => store.close())
  const ids = Array.from({ length: 20 }, (_, number) => `r${number}`)
  await write(
    store.pool,
    tenant,
    ['Organization', 'Practitioner'].flatMap((type) => ids.map((id) => put(type, id))),
  )
  const deletion = (type: string, target: Target): Step => ({
    kind: 'delete',
    index: 0,
    fullUrl: undefined,
    type,
    target,
    ifMatch: undefined,
  })
  const steps = [
    ...ids.slice(0, 5).map((id) => deletion('Practitioner', { kind: 'id', id })),
    ...['Organization', 'Practitioner'].map((type) => deletion(type, { kind: 'condition', query: query(type) })),
  ]
  const view = await transaction(store.pool, (client) => viewOf(client, tenant, questionsOf(steps)))
  // Those that may be gone, and two to tell whether there is just one.
  assert.equal(view.identified(query('Practitioner')).length, 6 + 2)
  assert.equal(view.identified(query('Organization')).length, 1 + 2)
})

test('of the identifiers of a record, those are compared that a Bundle asks for, each once', () => {
  const asked = new AskedIdentifiers([query('Patient'), { type: 'Patient', system: '', value: 'w' }])
  const of = (type: string, ...pairs: (readonly [system: string, value: string])[]) => [
    ...asked.of({ type, identifiers: pairs.map(([system, value]) => ({ system, value })) }),
  ]
  assert.deepEqual(of('Patient', ['s', 'v'], ['s', 'v'], ['s', 'w'], ['t', 'v']), [queryKey(query('Patient'))])
  assert.deepEqual(of('Patient', ['', 'w']), [queryKey({ type: 'Patient', system: '', value: 'w' })])
  assert.deepEqual(of('Practitioner', ['s', 'v']), [])
})

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { draftOf } from '../../draft.ts'
import { write } from '../../write/write.ts'
import { BatchWriter } from '../batch-writer.ts'
import { LoadTally } from '../load-tally.ts'
import { LoadingStore, newTenant } from '../loading.fixture.ts'
import { HeldRecords } from './held-records.ts'
import { ReferenceResolver } from './reference-resolver.ts'
import { standingRecords } from './standing-records.ts'

const at = { file: 'a.json', place: 'entry[0]' }
const practitioner = { resourceType: 'Practitioner', id: 'n', identifier: [{ system: 's', value: '9' }] }
const patient = (gender: string) => ({
  resourceType: 'Patient',
  id: 'p',
  gender,
  generalPractitioner: [{ reference: 'Practitioner?identifier=s|9' }],
})

function draftFor(resource: object) {
  const draft = draftOf(JSON.stringify(resource), [])
  assert.ok(!('fault' in draft))
  return draft
}

describe('what is held, and written before the end', () => {
  let store: LoadingStore
  before(async () => {
    store = await LoadingStore.open()
  })
  after(() => store.close())

  for (const [what, first, reason] of [
    ['had the id before', true, /^another record has this id already/],
    ['has changed the record since', false, /^another writer has changed the record/],
  ] as const) {
    it(`does not overwrite what another writer has: one who ${what}`, async () => {
      const { pool } = store.database
      const tenant = newTenant()
      const reasons: string[] = []
      const tally = new LoadTally((fault) => reasons.push(fault.reason))
      const writer = new BatchWriter(pool, tenant, false, tally, () => {})
      const held = new HeldRecords(writer, new ReferenceResolver(pool, tenant), tally, [], async (records) =>
        standingRecords(pool, tenant, records),
      )
      const puts = (...resources: object[]) =>
        write(
          pool,
          tenant,
          resources.map((resource) => ({ kind: 'put' as const, draft: draftFor(resource) })),
        )
      await puts(practitioner)
      const text = JSON.stringify(patient('male'))
      await held.hold({ kind: 'put', draft: draftFor(patient('male')), text: Buffer.from(text), onlyNew: true, at })
      if (first) await puts(patient('other'))
      await held.release()
      if (!first) await puts(patient('other'))
      await held.finish()
      await held.close()
      const { body, version } = (await store.current(tenant)).get('Patient/p')!
      assert.deepEqual([JSON.parse(body).gender, version], ['other', first ? 1 : 2])
      assert.equal(reasons.length, 1)
      assert.match(reasons[0]!, reason)
      assert.deepEqual([tally.counts.read, tally.counts.refused, tally.resolved], [1, first ? 1 : 0, 0])
    })
  }
})

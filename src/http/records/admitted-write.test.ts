import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyRequest } from 'fastify'
import { draftOf } from '../../records/draft.ts'
import type { Change } from '../../records/write/change.ts'
import { letIn } from '../caller.ts'
import type { StoreContext } from '../context.ts'
import { type Intent, TooManyWaiting } from '../fair-queue.ts'
import { writeAdmitted } from './admitted-write.ts'

function put(id: string): Change {
  const draft = draftOf(JSON.stringify({ resourceType: 'Patient', id }), [])
  assert.ok('text' in draft)
  return { kind: 'put', draft }
}

test('a write waits for others of the records that they may know, and not because of ids that were just given', async () => {
  const intents: Intent[] = []
  // A queue that lets nobody in: what a write wants is told before.
  const queue = {
    run: async (intent: Intent) => {
      intents.push(intent)
      throw new TooManyWaiting()
    },
  }
  const context = { writes: { queue } } as unknown as StoreContext
  const request = {} as FastifyRequest
  letIn(request, { grant: { client: 'c' }, tenant: 'clinic', base: '', profile: {} } as never)
  const fresh = { ...put('fresh'), isFresh: true } as Change
  const changes = [put('a'), fresh, { kind: 'delete', key: { type: 'Patient', id: 'b' } } as const]
  await assert.rejects(writeAdmitted(request, context, changes), TooManyWaiting)
  assert.deepEqual(
    intents.map(({ keys }) => [...keys]),
    [['Patient/a', 'Patient/b']],
  )
})

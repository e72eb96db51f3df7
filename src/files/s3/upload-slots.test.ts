import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UploadSlots } from './upload-slots.ts'

test('so many work at a time, and the others in order', async () => {
  const slots = new UploadSlots(2)
  const began: number[] = []
  const releases: (() => void)[] = []
  for (const number of [0, 1, 2, 3]) {
    void slots.take().then((release) => {
      began.push(number)
      releases.push(release)
    })
  }
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  await settled()
  assert.deepEqual(began, [0, 1])
  releases[1]!()
  await settled()
  assert.deepEqual(began, [0, 1, 2])
  for (const release of [releases[0]!, releases[2]!]) release()
  await settled()
  assert.deepEqual(began, [0, 1, 2, 3])
  releases[3]!()
  await slots.take()
  await slots.take()
})

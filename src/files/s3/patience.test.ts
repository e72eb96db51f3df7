import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DamagedFile, UnusableStore } from '../file-store.ts'
import { patiently } from './patience.ts'

const away = Object.assign(new Error('slow down'), { name: 'SlowDown', $metadata: { httpStatusCode: 503 } })

/** Fails so often, then answers. */
function failing(times: number, error: unknown) {
  let asked = 0
  const ask = async () => {
    if (asked++ < times) throw error
    return asked
  }
  return ask
}

test('who is away is asked again until there is an answer, and each time is told', async () => {
  const told: UnusableStore[] = []
  assert.equal(await patiently(failing(2, away), 60_000, (fault) => told.push(fault)), 3)
  assert.deepEqual(
    told.map(({ trouble, message }) => `${trouble}: ${message}`),
    Array(2).fill('away: SlowDown 503: slow down'),
  )
})

test('without patience nothing is asked twice', async () => {
  await assert.rejects(
    patiently(failing(1, away), -1, () => {}),
    UnusableStore,
  )
})

test('what does not pass by itself is not waited for, and told where the store cannot be used', async () => {
  for (const [name, expected, troubles] of [
    ['AccessDenied', UnusableStore, ['denied']],
    ['NoSuchKey', DamagedFile, []],
    ['TypeError', Error, []],
  ] as const) {
    const error = Object.assign(new Error(''), { name })
    const told: string[] = []
    await assert.rejects(
      patiently(failing(1, error), 60_000, ({ trouble }) => told.push(trouble)),
      expected,
    )
    assert.deepEqual(told, troubles)
  }
})

test('who gives up while a question waits for something else hears why at once', async () => {
  const gone = new AbortController()
  const reason = new Error('given up')
  const never = () => {
    setImmediate(() => gone.abort(reason))
    return new Promise<never>(() => {})
  }
  await assert.rejects(
    patiently(never, 60_000, () => assert.fail('told'), gone.signal),
    reason,
  )
})

test('who gives up in a pause hears why at once', async () => {
  const gone = new AbortController()
  const reason = new Error('given up')
  const onAway = () => void setImmediate(() => gone.abort(reason))
  await assert.rejects(patiently(failing(9, away), 60_000, onAway, gone.signal), reason)
})

test('who has given up hears why, and nobody is asked any more', async () => {
  const gone = new AbortController()
  const reason = new Error('given up')
  const ask = async () => {
    gone.abort(reason)
    throw away
  }
  await assert.rejects(
    patiently(ask, 60_000, () => assert.fail('told'), gone.signal),
    reason,
  )
})

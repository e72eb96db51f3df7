import assert from 'node:assert/strict'
import { once } from 'node:events'
import { getPriority } from 'node:os'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'

const skip = process.platform === 'linux' ? false : 'SKIPPED: only Linux has priorities for threads'

test('a thread lets the others go first, and they stay as they are', { skip }, async () => {
  const before = getPriority()
  const module = new URL('./thread-priority.ts', import.meta.url)
  const code = `const { parentPort } = require('node:worker_threads')
    parentPort.on('message', () => parentPort.close())
    import(${JSON.stringify(module.href)}).then(({ lowerOwnPriority }) => parentPort.postMessage(lowerOwnPriority(10)))`
  const worker = new Worker(code, { eval: true })
  const [thread] = await once(worker, 'message')
  assert.ok(thread > 0)
  assert.equal(getPriority(thread), 10)
  assert.equal(getPriority(), before)
  worker.postMessage('end')
  await once(worker, 'exit')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FairQueue, type QueueBounds, TooManyWaiting } from './fair-queue.ts'

const bounds: QueueBounds = {
  runningMax: 4,
  runningOfTenantMax: 3,
  runningOfClientMax: 2,
  waitingMax: 6,
  waitingOfTenantMax: 5,
  waitingOfClientMax: 3,
}

/** A queue whose work ends when they are told to. */
class Scene {
  readonly queue = new FairQueue(bounds)
  readonly running: string[] = []
  readonly ends = new Map<string, () => void>()

  write(name: string, tenant: string, client: string, keys: readonly string[] = []): Promise<string> {
    return this.queue.run({ tenant, client, keys }, () => {
      this.running.push(name)
      return new Promise((resolve) => {
        this.ends.set(name, () => {
          this.running.splice(this.running.indexOf(name), 1)
          resolve(name)
        })
      })
    })
  }

  async end(name: string): Promise<void> {
    this.ends.get(name)!()
    for (let turn = 0; turn < 10; turn++) await null
  }
}

test('a client has so many writes at work, a tenant so many, all together so many', async () => {
  const scene = new Scene()
  for (const name of ['a1', 'a2', 'a3']) void scene.write(name, 't', 'a')
  for (const name of ['b1', 'b2']) void scene.write(name, 't', 'b')
  await null
  assert.deepEqual(scene.running, ['a1', 'a2', 'b1'])
  for (const name of ['u1', 'u2']) void scene.write(name, 'u', 'c')
  await null
  assert.deepEqual(scene.running, ['a1', 'a2', 'b1', 'u1'])
  await scene.end('a1')
  assert.deepEqual(scene.running, ['a2', 'b1', 'u1', 'u2'], 'who has least at work comes first')
})

/** Starts work of so many bytes where there may be a hundred, each for a client of its own. */
async function weighed(...bytes: readonly number[]): Promise<readonly string[]> {
  const queue = new FairQueue({ ...bounds, runningBytesMax: 100 })
  const running: string[] = []
  for (const [at, each] of bytes.entries()) {
    const intent = { tenant: `t${at}`, client: 'a', keys: [], bytes: each }
    void queue.run(intent, () => {
      running.push(`${each}`)
      return new Promise(() => {})
    })
  }
  await null
  return running
}

test('together those at work have so many bytes, and what has more runs alone', async () => {
  assert.deepEqual(await weighed(50, 49), ['50', '49'])
  assert.deepEqual(await weighed(50, 50), ['50', '50'])
  assert.deepEqual(await weighed(50, 51), ['50'])
  assert.deepEqual(await weighed(101, 1), ['101'])
})

test('whose turn it is waits for room, and nobody who needs less overtakes', async () => {
  assert.deepEqual(await weighed(50, 51, 1), ['50'])
})

test('a write waits for another of the same record, and those behind it do not', async () => {
  const scene = new Scene()
  void scene.write('one', 't', 'a', ['Patient/1', 'Patient/2'])
  void scene.write('two', 't', 'b', ['Patient/2'])
  void scene.write('three', 't', 'b', ['Patient/3'])
  void scene.write('elsewhere', 'u', 'c', ['Patient/2'])
  await null
  assert.deepEqual(scene.running, ['one', 'three', 'elsewhere'])
  await scene.end('one')
  assert.deepEqual(scene.running, ['three', 'elsewhere', 'two'])
})

test('a write of many records is not overtaken for ever by writes of some of them', async () => {
  const scene = new Scene()
  void scene.write('one', 't', 'a', ['Patient/1'])
  void scene.write('many', 't', 'b', ['Patient/1', 'Patient/2'])
  void scene.write('two', 't', 'c', ['Patient/2'])
  await null
  assert.deepEqual(scene.running, ['one'])
  await scene.end('one')
  assert.deepEqual(scene.running, ['many'])
  await scene.end('many')
  assert.deepEqual(scene.running, ['two'])
})

test('a write that comes when too many wait is refused, of a client and of all', async () => {
  const scene = new Scene()
  const refused: string[] = []
  const write = (name: string, tenant: string, client: string) =>
    scene.write(name, tenant, client).catch((error: unknown) => {
      assert.ok(error instanceof TooManyWaiting)
      refused.push(name)
    })
  for (let index = 0; index < 6; index++) void write(`a${index}`, 't', 'a')
  await null
  await null
  assert.deepEqual(refused, ['a5'], 'two are at work and three wait')
  for (const client of ['b', 'c', 'd', 'e', 'f', 'g']) void write(client, 'u', client)
  for (let turn = 0; turn < 5; turn++) await null
  assert.deepEqual(refused, ['a5', 'g'], 'four are at work and six wait')
})

test('one tenant does not fill the queue of all, with however many clients', async () => {
  const scene = new Scene()
  const refused: string[] = []
  const write = (tenant: string, client: string) =>
    scene.write(`${tenant} ${client}`, tenant, client).catch(() => refused.push(`${tenant} ${client}`))
  for (const client of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']) void write('t', client)
  for (let turn = 0; turn < 5; turn++) await null
  assert.deepEqual(refused, ['t i'], 'three are at work and five wait')
  for (const client of ['a', 'b']) void write('u', client)
  for (let turn = 0; turn < 5; turn++) await null
  assert.deepEqual([refused, scene.running.length], [['t i'], 4], 'another tenant gets in, and may wait')
})

test('a write that fails makes room like any other', async () => {
  const queue = new FairQueue({ ...bounds, runningMax: 1 })
  const fails = queue.run({ tenant: 't', client: 'a', keys: ['Patient/1'] }, async () => {
    throw new Error('broken')
  })
  const next = queue.run({ tenant: 't', client: 'a', keys: ['Patient/1'] }, async () => 'done')
  await assert.rejects(fails, /broken/)
  assert.equal(await next, 'done')
})

test('whatever comes, the bounds hold, no record is written twice at a time, and all who are let in get their turn (property)', async () => {
  const intent = fc.record({
    tenant: fc.constantFrom('t', 'u'),
    client: fc.constantFrom('a', 'b', 'c'),
    keys: fc.subarray(['Patient/1', 'Patient/2', 'Patient/3']),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(intent, { maxLength: 30 }), fc.infiniteStream(fc.nat()), async (intents, chances) => {
      const queue = new FairQueue(bounds)
      const running: { tenant: string; client: string; keys: readonly string[]; end: () => void }[] = []
      let refused = 0
      let done = 0
      const check = () => {
        assert.ok(running.length <= bounds.runningMax)
        for (const { tenant, client } of running) {
          const ofTenant = running.filter((one) => one.tenant === tenant)
          assert.ok(ofTenant.length <= bounds.runningOfTenantMax)
          assert.ok(ofTenant.filter((one) => one.client === client).length <= bounds.runningOfClientMax)
          const keys = ofTenant.flatMap((one) => one.keys)
          assert.equal(new Set(keys).size, keys.length)
        }
      }
      for (const each of intents) {
        const work = () =>
          new Promise<void>((resolve) => {
            running.push({ ...each, end: resolve })
            check()
          })
        queue.run(each, work).then(
          () => done++,
          () => refused++,
        )
        await null
        if (chances.next().value % 3 === 0) running.splice(chances.next().value % (running.length || 1), 1)[0]?.end()
        for (let turn = 0; turn < 10; turn++) await null
      }
      while (running.length > 0) {
        running.shift()!.end()
        for (let turn = 0; turn < 10; turn++) await null
      }
      assert.equal(done + refused, intents.length)
    }),
  )
})

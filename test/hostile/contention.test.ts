import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { letWritesWait } from '../patient-writes.ts'
import { type Answer, closeConnections, exchange } from '../scenarios/exchange.ts'
import { TestServer } from '../server.ts'

/** More writes than the server has connections for them, and than may wait for one client. */
const contending = 60

let server: TestServer

before(async () => {
  server = await TestServer.start()
  for (const tenant of ['greedy', 'quiet']) await server.addTenant(tenant)
})
after(async () => {
  closeConnections()
  await server.stop()
})

const put = (tenant: string, token: string, id: string, active: boolean): Promise<Answer> =>
  exchange({
    method: 'PUT',
    url: `${server.base(tenant)}/Patient/${id}`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
    body: JSON.stringify({ resourceType: 'Patient', id, active }),
  })

const get = (tenant: string, token: string, id: string): Promise<Answer> =>
  exchange({
    method: 'GET',
    url: `${server.base(tenant)}/Patient/${id}`,
    headers: { authorization: `Bearer ${token}`, accept: 'application/fhir+json' },
  })

test('while one client writes what nobody lets it write, others read and write, and what is too much is 429', async () => {
  const greedy = await server.token(await server.addClient('greedy'))
  const second = await server.token(await server.addClient('greedy'))
  const quiet = await server.token(await server.addClient('quiet'))
  const ids = Array.from({ length: contending }, (_, at) => `p${at}`)
  for (const id of ids) assert.equal((await put('greedy', greedy, id, true)).status, 201)
  assert.equal((await put('quiet', quiet, 'mine', true)).status, 201)

  // Somebody holds the rows: each of the writes would wait for them with a connection of its own.
  await letWritesWait(server.pool)
  const holder = await server.pool.connect()
  await holder.query('begin; set local idle_in_transaction_session_timeout = 0')
  await holder.query(`select from record where tenant = 'greedy' for update`)
  const answers: Answer[] = []
  const writes = [...ids, ...ids].map((id, at) =>
    put('greedy', greedy, id, at >= contending).then((answer) => {
      answers.push(answer)
      return answer
    }),
  )
  try {
    assert.equal((await get('quiet', quiet, 'mine')).status, 200)
    assert.equal((await get('greedy', greedy, 'p1')).status, 200)
    assert.equal((await put('quiet', quiet, 'mine', false)).status, 200)
    assert.equal((await put('quiet', quiet, 'other', true)).status, 201)
    assert.equal((await put('greedy', second, 'new', true)).status, 201)
    assert.ok(
      answers.every(({ status }) => status === 429),
      `${answers.map(({ status }) => status)}`,
    )
    assert.ok(answers.length < writes.length, 'some wait')
  } finally {
    await holder.query('rollback')
    holder.release()
  }
  const statuses = (await Promise.all(writes)).map(({ status }) => status)
  assert.deepEqual([...new Set(statuses)].sort(), [200, 429])
  for (const { status, headers } of answers)
    if (status === 429) assert.match(String(headers['retry-after']), /^[1-9]\d*$/)
})

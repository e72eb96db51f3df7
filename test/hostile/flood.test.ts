import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { keptOfStrangers } from '../../src/audit/kept-refusals.ts'
import { costOf, ratesDefault } from '../../src/http/rates.ts'
import { requestBytesMax } from '../../src/protocol/limits.ts'
import { RawConnection, rawStatuses } from '../raw.ts'
import { type Answer, closeConnections, exchange } from '../scenarios/exchange.ts'
import { outcomeOf } from '../scenarios/outcome.ts'
import { type TestClient, TestServer } from '../server.ts'

const attempts = 3_000
const atATime = 50
/** Requests of an address in each window of ten seconds: `--rate-limits address=10`. */
const allowedInWindow = 100
/** What the memory of a process may differ by without having grown: its collector is in no hurry. */
const memoryBytesMax = 96 * 1024 * 1024

let server: TestServer
let client: TestClient

before(async () => {
  server = await TestServer.start(['--rate-limits', 'address=10'])
  await server.addTenant('clinic')
  client = await server.addClient('clinic')
})
after(async () => {
  closeConnections()
  await server.stop()
})

/** Resident memory of the server; none where the system does not tell. */
async function memoryBytes(): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
}

/** Entries of the audit trail about nobody in particular. */
async function entriesOfStrangers(): Promise<number> {
  const sql = "select count(*)::int entries from audit_entry where entry::jsonb->'agent'->>'kind' = 'stranger'"
  return (await server.pool.query<{ entries: number }>(sql)).rows[0]!.entries
}

const read = (token: string): Promise<Answer> =>
  exchange({
    method: 'GET',
    url: `${server.base('clinic')}/bulk-export/jobs/1`,
    headers: { authorization: `Bearer ${token}` },
  })

/** Sends wrong tokens, each of them different; gives how many answers there were of each status. */
async function wrongTokens(token: string, count: number): Promise<Map<number, number>> {
  const found = new Map<number, number>()
  let sent = 0
  const one = async () => {
    while (sent < count) {
      sent += 1
      const [head, payload] = token.split('.')
      const signature = Buffer.from(`wrong ${sent} `.repeat(6)).toString('base64url').slice(0, 86)
      const answer = await read(`${head}.${payload}.${signature}`)
      found.set(answer.status, (found.get(answer.status) ?? 0) + 1)
      if (answer.status === 429) outcomeOf(answer)
    }
  }
  await Promise.all(Array.from({ length: atATime }, one))
  return found
}

test('a body that nobody reads costs nothing', async () => {
  const token = await server.token(client)
  const request = [
    'GET /r4/clinic/Basic/nobody HTTP/1.1',
    'Host: x',
    `Authorization: Bearer ${token}`,
    `Content-Length: ${requestBytesMax}`,
    '',
    '',
  ].join('\r\n')
  /** If they counted, so many would be more than a client may ask in ten seconds. */
  const count = Math.ceil((ratesDefault.client! * 10) / costOf({ bodyBytes: requestBytesMax })) + 1
  for (let number = 0; number < count; number++) {
    const connection = new RawConnection(server.url)
    connection.send(request)
    await connection.until(/^HTTP/)
    connection.socket.destroy()
    assert.deepEqual(rawStatuses(connection.received), [404], `${number}`)
  }
})

test('3,000 wrong tokens: the rate limit holds, a client with a good one is served, memory is flat', async (context) => {
  const token = await server.token(client)
  const begun = performance.now()
  const warm = await wrongTokens(token, attempts / 5)
  const before = await memoryBytes()
  const rest = await wrongTokens(token, attempts - attempts / 5)
  const grown = (await memoryBytes()) - before
  const refused = (warm.get(401) ?? 0) + (rest.get(401) ?? 0)
  const throttled = (warm.get(429) ?? 0) + (rest.get(429) ?? 0)
  const windows = Math.ceil((performance.now() - begun) / 10_000) + 1
  context.diagnostic(
    `${refused} answers of 401, ${throttled} of 429; memory grew by ${Math.round(grown / 2 ** 20)} MiB`,
  )
  assert.equal(refused + throttled, attempts, 'nothing else was answered')
  assert.ok(refused <= allowedInWindow * windows, `${refused} of ${windows} windows`)
  assert.ok(throttled > 0)
  assert.ok(grown < memoryBytesMax, `${grown} bytes`)
  const minutes = Math.ceil((performance.now() - begun) / 60_000) + 1
  const trail = await entriesOfStrangers()
  context.diagnostic(`${trail} entries of the audit trail`)
  assert.ok(trail <= (keptOfStrangers.ofKindMax + 1) * minutes, `${trail} entries for one kind`)
  assert.equal((await read(token)).status, 404, 'the same address, with a good token')
  assert.ok(!server.log.includes(token.split('.')[1]!), 'the log holds no token')
})

test('X-Forwarded-For of nobody in particular gets no new count', async () => {
  const headers = (number: number) => ({ 'x-forwarded-for': `192.0.2.${number}` })
  const url = `${server.base('clinic')}/metadata`
  const statuses = new Set<number>()
  for (let number = 0; number < allowedInWindow * 1.1; number++) {
    statuses.add((await exchange({ method: 'GET', url, headers: headers(number % 250) })).status)
  }
  assert.deepEqual(statuses.has(429), true)
})

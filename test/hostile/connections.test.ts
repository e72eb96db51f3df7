import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { connectionBounds } from '../../src/http/connection/connection-bounds.ts'
import { sparseLinesMax, sparseMs } from '../../src/http/connection/sparse-log.ts'
import { RawConnection, rawExchange, rawStatuses } from '../raw.ts'
import { TestServer } from '../server.ts'

/** More than a server takes of all together. */
const sockets = 2_500
/** A little more than one address may have. */
const openMax = 300
const roundsMax = 20
const live = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'

let server: TestServer

before(async () => {
  server = await TestServer.start(['--rate-limits', 'address=10'])
})
after(() => server.stop())

/** Lines of the log that hold a text. */
const linesOf = (text: string): number => server.log.split('\n').filter((line) => line.includes(text)).length

/** Lines of one message since a moment, whole ones and counts. */
const linesAllowed = (begun: number): number =>
  (sparseLinesMax + 1) * (Math.ceil((performance.now() - begun) / sparseMs) + 1)

/** The status that a new connection is answered with; undefined when it is closed unanswered. */
async function ask(from?: string): Promise<number | undefined> {
  const connection = new RawConnection(server.url, from)
  connection.send(live)
  await connection.until(/"status":"ok"/).catch(() => {})
  connection.socket.destroy()
  return rawStatuses(connection.received)[0]
}

test(`${sockets} silent sockets of one address, again and again: others are served, and so is that address`, async (context) => {
  const begun = performance.now()
  const silent: RawConnection[] = []
  let [answered, asked] = [0, 0]
  for (let count = 0; count < sockets; count++) {
    silent.push(new RawConnection(server.url))
    if (count % 100 !== 99) continue
    for (const from of process.platform === 'linux' ? ['127.0.0.1', '127.0.0.2'] : ['127.0.0.1']) {
      asked += 1
      if ((await ask(from)) === 200) answered += 1
    }
  }
  const countOpen = () => silent.filter(({ socket }) => !socket.destroyed).length
  // That the others were closed may be noticed with the next events only.
  for (let round = 0; round < roundsMax && countOpen() > openMax; round++) await ask()
  const open = countOpen()
  const lines = linesOf('"connection dropped"')
  context.diagnostic(`${answered} of ${asked} requests answered, ${open} sockets open, ${lines} lines of log`)
  assert.equal(answered, asked)
  assert.ok(open <= openMax, `${open} are open`)
  assert.ok(lines > 0 && lines <= linesAllowed(begun), `${lines} lines`)
  for (const { socket } of silent) socket.destroy()
})

test('what is no HTTP, a thousand times, and 429 as often: the log does not grow with it', async (context) => {
  const begun = performance.now()
  for (let count = 0; count < 20; count++) {
    const all = await Promise.all(Array.from({ length: 50 }, () => rawExchange(server.url, 'FOO / HTTP/1.1\r\n\r\n')))
    for (const received of all) assert.deepEqual(rawStatuses(received), [400])
  }
  const line = 'GET /nowhere HTTP/1.1\r\nHost: x\r\n'
  const atOnce = `${line}\r\n`.repeat(connectionBounds.requestsAtOnceMax - 1)
  const statuses = new Set<number>()
  for (let count = 0; count < 10; count++) {
    const received = await rawExchange(server.url, `${atOnce}${line}Connection: close\r\n\r\n`)
    for (const status of rawStatuses(received)) statuses.add(status)
  }
  assert.ok(statuses.has(429))
  const allowed = linesAllowed(begun)
  context.diagnostic(`${linesOf('"unreadable"')} lines of log about 1000, at most ${allowed}`)
  assert.ok(linesOf('"unreadable"') <= allowed)
  assert.ok(linesOf('"status":429') <= allowed)
})

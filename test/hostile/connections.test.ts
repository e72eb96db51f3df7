import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sparseLinesMax } from '../../src/http/connection/sparse-log.ts'
import { RawConnection, rawStatuses } from '../raw.ts'
import { TestServer } from '../server.ts'

/** More than a server takes of all together. */
const sockets = 2_500
const live = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'

let server: TestServer

before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

/** The status that a new connection is answered with; undefined when it is closed unanswered. */
async function ask(from?: string): Promise<number | undefined> {
  const connection = new RawConnection(server.url, from)
  connection.send(live)
  await connection.until(/"status":"ok"/).catch(() => {})
  connection.socket.destroy()
  return rawStatuses(connection.received)[0]
}

test(`${sockets} silent sockets of one address, again and again: others are served, and so is that address`, async (context) => {
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
  const open = silent.filter(({ socket }) => !socket.destroyed).length
  const lines = server.log.split('\n').filter((line) => line.includes('"connection dropped"')).length
  context.diagnostic(`${answered} of ${asked} requests answered, ${open} sockets open, ${lines} lines of log`)
  assert.equal(answered, asked)
  assert.ok(open <= 300, `${open} are open`)
  assert.ok(lines > 0 && lines <= (sparseLinesMax + 1) * 6, `${lines} lines`)
  for (const { socket } of silent) socket.destroy()
})

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { byteBounds } from '../../src/http/bytes/byte-bounds.ts'
import { writeBounds } from '../../src/http/records/write-bounds.ts'
import { ownBodyBytesMax } from '../../src/http/request-threads/hand-over.ts'
import { requestBytesMax } from '../../src/protocol/limits.ts'
import { RawConnection, rawExchange, rawStatuses } from '../raw.ts'
import { type Answer, closeConnections, exchange } from '../scenarios/exchange.ts'
import { requiredHeaders } from '../scenarios/kick-off.ts'
import { outcomeOf } from '../scenarios/outcome.ts'
import { TestServer } from '../server.ts'

/** More than the kernel holds for a reader that does not read. */
const largeBytes = 15_000_000
const large = JSON.stringify({ resourceType: 'Basic', id: 'large', code: { text: 'x'.repeat(largeBytes) } })
/** So many bodies, or answers, of the largest size fit into what a client may have. */
const atATime = Math.floor(byteBounds.ofClientBytesMax / requestBytesMax)
const attempts = 12

let server: TestServer
/** The token of the attacker, of another client of its tenant, and of one that kicks off. */
let [attacker, other, exporter] = ['', '', '']

before(async () => {
  server = await TestServer.start(['--rate-limits', 'client=off'])
  await server.addTenant('clinic')
  const tokens: string[] = []
  for (let count = 0; count < 3; count++) tokens.push(await server.token(await server.addClient('clinic')))
  ;[attacker = '', other = '', exporter = ''] = tokens
  assert.equal((await putLarge(other)).status, 201)
})
after(async () => {
  closeConnections()
  await server.stop()
})

const ask = (token: string, method: string, path: string, body?: string, headers: object = {}): Promise<Answer> =>
  exchange({
    method,
    url: `${server.base('clinic')}${path}`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json', ...headers },
    body,
  })

const putLarge = (token: string) => ask(token, 'PUT', '/Basic/large', large)

const head = (line: string, ...headers: string[]) =>
  [line, 'Host: x', `Authorization: Bearer ${attacker}`, ...headers, '', ''].join('\r\n')
const json = 'Content-Type: application/fhir+json'
const put = () => head('PUT /r4/clinic/Basic/held HTTP/1.1', json, `Content-Length: ${requestBytesMax}`)

const expecting = () => put().replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n')

/** Asks on a connection of its own, reads the status and nothing more. @returns undefined while there is none */
async function begin(bytes: string | Buffer): Promise<{ connection: RawConnection; status: () => number | undefined }> {
  const connection = new RawConnection(server.url)
  connection.socket.on('data', () => connection.socket.pause())
  connection.send(bytes)
  return { connection, status: () => rawStatuses(connection.received)[0] }
}

type Begun = Awaited<ReturnType<typeof begin>>

/** So often another client asks for something while the server has other things to do. */
const roundsMax = 500
const roundMs = 20

/** Lets the server work until so many have a status, which they have soon or never. */
async function untilAnswered(begun: readonly Begun[], count: number): Promise<void> {
  const answered = () => begun.filter(({ status }) => status() !== undefined).length
  for (let round = 0; round < roundsMax && answered() < count; round++) {
    await ask(other, 'GET', '/metadata')
    // A thread may have to be started first.
    await pause(roundMs)
  }
  assert.ok(answered() >= count, `${answered()} of ${count} are answered`)
}

/** Closes the connections, and sees that all they held is given back: room for as many of the largest bodies as there ever is. */
async function leave(begun: readonly Begun[]): Promise<void> {
  const settle = async () => {
    for (let round = 0; round < 5; round++) await ask(other, 'GET', '/metadata')
  }
  for (const { connection } of begun) connection.socket.destroy()
  for (let round = 0; round < roundsMax; round++) {
    await settle()
    const probes = [await begin(expecting()), await begin(expecting())]
    await untilAnswered(probes, probes.length)
    for (const { connection } of probes) connection.socket.destroy()
    await settle()
    if (probes.every(({ status }) => status() === 100)) return
  }
  assert.fail('what the connections held was not given back')
}

/** While the attacker has all that it may have: it is told so, and others notice nothing. */
async function assertOnlyAttackerHeldUp(): Promise<void> {
  const refused = await putLarge(attacker)
  assert.equal(refused.status, 429)
  assert.match(String(refused.headers['retry-after']), /^[1-9]\d*$/)
  assert.deepEqual(outcomeOf(refused)[0]?.code, 'throttled')
  assert.equal((await putLarge(other)).status, 200)
  assert.equal((await ask(other, 'GET', '/Basic/large')).status, 200)
}

test('bodies that stop before their last byte: two are waited for, the rest is 429', async () => {
  const begun = []
  for (let count = 0; count < attempts; count++) begun.push(await begin(`${put()}{"resourceType":`))
  await untilAnswered(begun, attempts - atATime)
  assert.equal(begun.filter(({ status }) => status() === 429).length, attempts - atATime)
  await assertOnlyAttackerHeldUp()
  assert.equal((await ask(attacker, 'GET', '/Basic/nobody')).status, 404, 'what is small has room')
  const received = await rawExchange(server.url, expecting())
  assert.deepEqual(rawStatuses(received), [429], 'no body is asked for')
  assert.match(received, /^connection: close\r$/im)
  await leave(begun)
})

test('bodies whose length is not told take room as they come', async () => {
  const chunked = head('PUT /r4/clinic/Basic/held HTTP/1.1', json, 'Transfer-Encoding: chunked')
  const bytes = requestBytesMax - 1
  const most = `${chunked}${bytes.toString(16)}\r\n${' '.repeat(bytes)}\r\n`
  const begun = []
  for (let count = 0; count <= atATime; count++) begun.push(await begin(most))
  await untilAnswered(begun, 1)
  assert.ok(begun.some(({ status }) => status() === 429))
  await assertOnlyAttackerHeldUp()
  await leave(begun)
})

test('a body of a million chunks of a byte is refused, and the connection closed', async () => {
  const chunked = head('PUT /r4/clinic/Basic/held HTTP/1.1', json, 'Transfer-Encoding: chunked')
  const received = await rawExchange(server.url, chunked + '1\r\n \r\n'.repeat(1_000_000))
  if (received !== '') assert.deepEqual(rawStatuses(received), [400])
  assert.equal((await putLarge(attacker)).status, 200)
})

test('answers of fifteen megabytes that are not read: two wait, the rest is 429', async () => {
  const begun = []
  for (let count = 0; count < attempts; count++) begun.push(await begin(head('GET /r4/clinic/Basic/large HTTP/1.1')))
  await untilAnswered(begun, begun.length)
  const statuses = begun.map(({ status }) => status())
  assert.equal(statuses.filter((status) => status === 200).length, atATime)
  assert.equal(statuses.filter((status) => status === 429).length, attempts - atATime)
  await assertOnlyAttackerHeldUp()
  await leave(begun)
})

const batch = (...urls: string[]) =>
  JSON.stringify({
    resourceType: 'Bundle',
    type: 'batch',
    entry: urls.map((url) => ({ request: { method: 'GET', url } })),
  })

const statusesOf = ({ body }: Answer): string[] =>
  JSON.parse(body.toString()).entry.map(({ response }: { response: { status: string } }) => response.status)

/** What makes a small body one that another thread carries out. */
const paddings = { 'on the answering thread': '', 'on another thread': ' '.repeat(ownBodyBytesMax) }

for (const [where, padding] of Object.entries(paddings))
  test(`a Bundle of two hundred bytes reads at most sixteen megabytes, and what there is room for, ${where}`, async () => {
    const three = batch('Basic/large', 'Basic/nobody', 'Basic/large', 'Basic/large') + padding
    assert.deepEqual(statusesOf(await ask(attacker, 'POST', '', three)), ['200', '404', '413', '413'])
    const post = head('POST /r4/clinic HTTP/1.1', json, `Content-Length: ${three.length}`)
    const begun = []
    for (let count = 0; count < atATime; count++) begun.push(await begin(post + three))
    await untilAnswered(begun, begun.length)
    const refused = await ask(attacker, 'POST', '', three)
    assert.deepEqual([refused.status, statusesOf(refused)], [200, ['429', '404', '429', '429']])
    await assertOnlyAttackerHeldUp()
    await leave(begun)
  })

for (const [where, padding] of Object.entries(paddings))
  test(`a conditional create that finds a large record waits for room like a read, ${where}`, async () => {
    const identifier = { system: 'urn:large', value: `1${padding.length}` }
    const known = large.replace(
      '"id":"large"',
      `"id":"known${padding.length}","identifier":[${JSON.stringify(identifier)}]`,
    )
    assert.equal((await ask(other, 'PUT', `/Basic/known${padding.length}`, known)).status, 201)
    const create = () =>
      ask(attacker, 'POST', '/Basic', `{"resourceType":"Basic","code":{"text":"x"}}${padding}`, {
        'if-none-exist': `identifier=urn:large|${identifier.value}`,
      })
    const found = await create()
    assert.equal(found.status, 200)
    assert.equal(JSON.parse(found.body.toString()).code.text.length, largeBytes)
    const begun = []
    for (let count = 0; count < atATime; count++) begun.push(await begin(head('GET /r4/clinic/Basic/large HTTP/1.1')))
    await untilAnswered(begun, begun.length)
    assert.equal((await create()).status, 429)
    await leave(begun)
  })

test('writes whose clients go away leave no places behind: as many as there are pass afterwards', async () => {
  const places = writeBounds.runningOfClientMax + writeBounds.waitingOfClientMax
  const body = '{"resourceType":"Basic","id":"place","code":{"text":"x"}}'
  const line = head('PUT /r4/clinic/Basic/place HTTP/1.1', json, `Content-Length: ${body.length}`)
  for (let round = 0; round < 3; round++) {
    const begun = []
    for (let count = 0; count < places; count++) begun.push(await begin(line + body))
    await untilAnswered(begun, 1)
    await leave(begun)
  }
  const put = () => ask(attacker, 'PUT', '/Basic/place', body)
  const allPass = async () =>
    (await Promise.all(Array.from({ length: places }, put))).every(({ status }) => status === 200)
  // Those of who went away are done with sooner or later.
  for (let round = 0; round < roundsMax; round++) if (await allPass()) return
  assert.fail('places were not given back')
})

test('a large record comes back to the letter, whatever its characters, also an old version of it', async () => {
  const text = 'ä€𝄞x'.repeat(400_000)
  const record = { resourceType: 'Basic', id: 'letters', code: { text } }
  const first = await ask(other, 'PUT', '/Basic/letters', JSON.stringify(record))
  assert.equal(first.status, 201)
  const read = await ask(other, 'GET', '/Basic/letters')
  assert.ok(read.body.equals(first.body))
  assert.equal(JSON.parse(read.body.toString()).code.text, text)
})

test('kick-offs of 20,000 patients nobody knows count as what they cost', async () => {
  await server.kill('SIGTERM')
  await server.spawn(['--rate-limits', 'client=200'])
  const parameter = Array.from({ length: 20_000 }, (_, number) => ({
    name: 'patient',
    valueReference: { reference: `Patient/unknown-${number}` },
  }))
  const body = JSON.stringify({ resourceType: 'Parameters', parameter })
  const begun = performance.now()
  let allowed = 0
  let answer = await ask(exporter, 'POST', '/Patient/$export', body, requiredHeaders)
  for (; answer.status === 400 && allowed < attempts; allowed++)
    answer = await ask(exporter, 'POST', '/Patient/$export', body, requiredHeaders)
  const windows = Math.ceil((performance.now() - begun) / 10_000)
  assert.equal(answer.status, 429)
  assert.ok(Number(answer.headers['retry-after']) <= 20)
  const told = `${allowed} in ${windows} windows: two are worth 2,000 requests, as many as may come in ten seconds`
  assert.ok(allowed >= 2 && allowed <= 2 * windows, told)
  assert.equal((await ask(other, 'GET', '/Basic/nobody')).status, 404, 'others are not held up')
})

import { setTimeout as sleep } from 'node:timers/promises'
import type { Attacker } from './attacker.ts'
import { hostileTenant } from './ground.ts'

/** Something that a caller may do to a server. It goes on until the attacker's signal. */
export interface Attack {
  /** Without a comma: pieces of names are separated by commas. */
  readonly name: string
  readonly run: (attacker: Attacker, patients: readonly string[]) => Promise<void>
}

const base = `/r4/${hostileTenant}`
const fhir = { 'content-type': 'application/fhir+json' }
const asynchronous = { prefer: 'respond-async', accept: 'application/fhir+json' }

const parametersOf = (patients: readonly string[]): string =>
  JSON.stringify({
    resourceType: 'Parameters',
    parameter: patients.map((id) => ({ name: 'patient', valueReference: { reference: `Patient/${id}` } })),
  })

const put = async (attacker: Attacker, type: string, id: string, body: string, client = 0) =>
  attacker.ask('PUT', `${base}/${type}/${id}`, { headers: { ...fhir, ...(await attacker.bearer(client)) }, body })

const bigBytes = 15 * 1024 * 1024
const filled = (before: string, piece: string, after: string, bytes = bigBytes): string =>
  `${before}${piece.repeat(Math.floor(bytes / piece.length))}${after}`

/** Bodies of 15 MB which are dear to parse, to scan or to refuse. */
const worstBodies: readonly (() => string)[] = [
  () => filled('{"resourceType":"Basic","id":"worst","a":[', '{},', '{}]}'),
  () => filled('{"resourceType":"Basic","id":"worst","a":"', '\\u00e9', '"}'),
  () => filled('{"resourceType":"Basic","id":"worst","a":', '[', ''),
  () => filled('{"resourceType":"Basic","id":"worst","a":"', '\\"', '"}'),
  () => filled('', '\n ', '{"resourceType":"Basic","id":"worst"}'),
  () => filled('{"resourceType":"Basic","id":"worst","a":"', 'x', '"}'),
]

const duplicateKeys = (members: number): string =>
  `{"resourceType":"Basic","id":"twice",${Array.from({ length: members }, (_, at) => `"k${at}":1`).join(',')},"k${members - 1}":2}`

const bundleOf = (entries: number): string =>
  JSON.stringify({
    resourceType: 'Bundle',
    type: 'batch',
    entry: Array.from({ length: entries }, (_, at) => ({
      resource: { resourceType: 'Patient', id: `e${at}`, active: true },
      request: { method: 'PUT', url: `Patient/e${at}` },
    })),
  })

/** An export from kick-off to its end, or at least until the attack is. */
async function exportAndDelete(attacker: Attacker, path: string, client: number, body?: string): Promise<void> {
  const bearer = await attacker.bearer(client)
  const headers = { ...asynchronous, ...bearer, ...(body === undefined ? {} : fhir) }
  const { location } = await attacker.ask(body === undefined ? 'GET' : 'POST', path, {
    headers,
    ...(body === undefined ? {} : { body }),
  })
  if (location === undefined) {
    await sleep(100)
    return
  }
  const job = new URL(location).pathname
  try {
    while ((await attacker.ask('GET', job, { headers: bearer })).status === 202) await sleep(250)
  } finally {
    await attacker.ask('DELETE', job, { headers: bearer }).catch(() => {})
  }
}

/** What can be done with sockets, requests, tokens and records. Each entry is one line of the table. */
export const attacks: readonly Attack[] = [
  {
    name: '2000 silent sockets',
    run: (attacker) =>
      attacker.keepAt(2_000, async () => {
        const socket = attacker.connect()
        await new Promise((resolve) => socket.once('close', resolve))
        await sleep(500)
      }),
  },
  {
    name: '300 slow headers',
    run: (attacker) =>
      attacker.keepAt(300, async () => {
        const socket = attacker.connect()
        attacker.send(socket, 'GET /livez HTTP/1.1\r\nHost: x\r\n')
        while (!socket.destroyed && !attacker.signal.aborted) {
          attacker.send(socket, 'X-A: b\r\n')
          await sleep(1_000)
        }
      }),
  },
  {
    name: '200 slow bodies',
    run: async (attacker) => {
      const { authorization } = await attacker.bearer()
      const head = `PUT ${base}/Basic/slow HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/fhir+json\r\nContent-Length: ${bigBytes}\r\n\r\n{`
      await attacker.keepAt(200, async () => {
        const socket = attacker.connect()
        attacker.send(socket, head)
        while (!socket.destroyed && !attacker.signal.aborted) {
          attacker.send(socket, ' '.repeat(64 * 1024))
          await sleep(1_000)
        }
      })
    },
  },
  {
    name: '50 large answers unread',
    run: async (attacker) => {
      await put(attacker, 'Basic', 'large', filled('{"resourceType":"Basic","id":"large","a":"', 'x', '"}'))
      const { authorization } = await attacker.bearer()
      await attacker.keepAt(50, async () => {
        const socket = attacker.connect()
        socket.pause()
        attacker.send(
          socket,
          `GET ${base}/Basic/large HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nAccept: application/fhir+json\r\n\r\n`,
        )
        await sleep(5_000)
        socket.destroy()
      })
    },
  },
  {
    name: '15 MB of the worst JSON',
    run: async (attacker) => {
      const bodies = worstBodies.map((make) => make())
      let sent = 0
      await attacker.keepAt(4, () => put(attacker, 'Basic', 'worst', bodies[sent++ % bodies.length]!))
    },
  },
  {
    name: 'keys that stand twice',
    run: async (attacker) => {
      const body = duplicateKeys(40_000)
      await attacker.keepAt(4, () => put(attacker, 'Basic', 'twice', body))
    },
  },
  {
    name: 'Bundles of 10000 entries',
    run: async (attacker) => {
      const body = bundleOf(10_000)
      await attacker.keepAt(2, async (place) =>
        attacker.ask('POST', base, { headers: { ...fhir, ...(await attacker.bearer(place)) }, body }),
      )
    },
  },
  {
    name: '50 writers of one record',
    run: (attacker) => {
      let written = 0
      return attacker.keepAt(50, (place) =>
        put(
          attacker,
          'Patient',
          'one',
          `{"resourceType":"Patient","id":"one","multipleBirthInteger":${written++}}`,
          place % 6,
        ),
      )
    },
  },
  {
    name: 'kick-off of 20000 and DELETE',
    run: async (attacker) => {
      const body = parametersOf(Array.from({ length: 20_000 }, (_, at) => `unknown-${at}`))
      await attacker.keepAt(6, async (client) => {
        const bearer = await attacker.bearer(client)
        const headers = { ...asynchronous, ...fhir, ...bearer, prefer: 'respond-async, handling=lenient' }
        const { location } = await attacker.ask('POST', `${base}/Patient/$export`, { headers, body })
        if (location !== undefined) await attacker.ask('DELETE', new URL(location).pathname, { headers: bearer })
      })
    },
  },
  {
    name: 'six large exports',
    run: (attacker) => attacker.keepAt(6, (client) => exportAndDelete(attacker, `${base}/Patient/$export`, client)),
  },
  {
    name: 'six large filtered exports',
    run: (attacker) =>
      attacker.keepAt(6, (client) =>
        exportAndDelete(attacker, `${base}/Patient/$export?_typeFilter=Observation%3Fcode%3D3016-3`, client),
      ),
  },
  {
    name: 'wrong tokens',
    run: (attacker) =>
      attacker.keepAt(50, (place) =>
        attacker.ask('GET', `${base}/Patient/x`, {
          headers: { authorization: `Bearer eyJhbGciOiJFUzM4NCJ9.e30.${place}${Math.random()}` },
        }),
      ),
  },
  {
    name: 'unknown callers',
    run: (attacker) => attacker.keepAt(50, () => attacker.ask('GET', `${base}/Patient/${Math.random()}`)),
  },
  {
    name: 'token requests with bad assertions',
    run: (attacker) => {
      const type = 'urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer'
      const body = `grant_type=client_credentials&client_assertion_type=${type}&client_assertion=${'e'.repeat(4_000)}.e30.x`
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      return attacker.keepAt(50, () => attacker.ask('POST', `/oauth2/${hostileTenant}/token`, { headers, body }))
    },
  },
  {
    name: 'Provenance of 10000 targets',
    run: (attacker) => {
      let written = 0
      return attacker.keepAt(2, (place) => {
        written++
        const target = Array.from({ length: 10_000 }, (_, at) => ({ reference: `Condition/t${written}-${at}` }))
        const id = `many-${place}`
        const body = JSON.stringify({ resourceType: 'Provenance', id, recorded: '2026-01-01T00:00:00Z', target })
        return put(attacker, 'Provenance', id, body)
      })
    },
  },
  {
    name: 'kick-offs of a Group of 20000',
    run: async (attacker) => {
      const member = Array.from({ length: 20_000 }, (_, at) => ({ entity: { reference: `Patient/g${at}` } }))
      const group = { resourceType: 'Group', id: 'large', type: 'person', actual: true, member }
      await put(attacker, 'Group', 'large', JSON.stringify(group))
      await attacker.keepAt(6, async (client) => {
        const bearer = await attacker.bearer(client)
        const headers = { ...asynchronous, ...bearer }
        const { location } = await attacker.ask('GET', `${base}/Group/large/$export`, { headers })
        if (location !== undefined) await attacker.ask('DELETE', new URL(location).pathname, { headers: bearer })
      })
    },
  },
  {
    name: 'searches of the audit trail',
    run: (attacker) =>
      attacker.keepAt(10, async () =>
        attacker.ask('GET', `${base}/AuditEvent?_count=500&date=ge2020-01-01`, { headers: await attacker.bearer() }),
      ),
  },
  {
    name: 'ranges of a file',
    run: async (attacker, patients) => {
      const bearer = await attacker.bearer()
      const headers = { ...asynchronous, ...fhir, ...bearer }
      const body = parametersOf(patients.slice(0, 200))
      // An export of the attack before may still have the client's place.
      const kickOff = () => attacker.ask('POST', `${base}/Patient/$export`, { headers, body })
      let { location } = await kickOff()
      for (; location === undefined; location = (await kickOff()).location) await sleep(pauseMs)
      const poll = () => attacker.ask('GET', new URL(location).pathname, { headers: bearer })
      let manifest = await poll()
      for (; manifest.status !== 200; manifest = await poll()) await sleep(pauseMs)
      const { output } = JSON.parse(manifest.body) as { output: { url: string; type: string }[] }
      const { url } = output.find(({ type }) => type === 'Observation') ?? output[0]!
      const link = await attacker.ask('GET', new URL(url).pathname, { headers: bearer })
      const content = new URL(link.location ?? url)
      await attacker.keepAt(20, () =>
        attacker.ask('GET', `${content.pathname}${content.search}`, {
          headers: { ...bearer, range: `bytes=${Math.floor(Math.random() * 1e6)}-`, 'accept-encoding': 'identity' },
        }),
      )
    },
  },
]

/** Between two attempts at what is not there yet, in milliseconds. */
const pauseMs = 250

/** Those who do nothing wrong, but there are many of them; and those who take what they asked for as slowly as they may. */
export const company: readonly Attack[] = [
  {
    name: 'ordinary clients',
    run: (attacker, patients) =>
      attacker.keepAt(ordinaryClients, async (place) => {
        const { authorization } = await attacker.bearer(place % 6)
        const headers = { authorization }
        await attacker.ask('GET', `${base}/Patient/${patients[place % patients.length]}`, { headers })
        await put(attacker, 'Basic', `of-${place}`, `{"resourceType":"Basic","id":"of-${place}"}`, place % 6)
        await attacker.ask('GET', '/readyz')
        await sleep(500)
      }),
  },
  {
    name: 'slow readers',
    run: async (attacker) => {
      await put(attacker, 'Basic', 'large', filled('{"resourceType":"Basic","id":"large","a":"', 'x', '"}'))
      const { authorization } = await attacker.bearer(1)
      await attacker.keepAt(5, async () => {
        const socket = attacker.connect()
        attacker.send(
          socket,
          `GET ${base}/Basic/large HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nAccept: application/fhir+json\r\n\r\n`,
        )
        socket.on('data', () => {
          socket.pause()
          setTimeout(() => socket.resume(), 100)
        })
        await Promise.race([new Promise((resolve) => socket.once('close', resolve)), sleep(30_000)])
        socket.destroy()
      })
    },
  },
]

const ordinaryClients = 50

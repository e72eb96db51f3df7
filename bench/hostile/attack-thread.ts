import { setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { Credentials } from '../../src/client/session/token-source.ts'
import { earlyTokens } from '../tokens.ts'
import { Attacker } from './attacker.ts'
import { attacks, company } from './attacks.ts'
import { hostileTenant } from './ground.ts'

/** What the thread of an attack is told. */
export interface AttackData {
  readonly name: string
  readonly url: string
  readonly clients: readonly Credentials[]
  readonly patients: readonly string[]
}

// Whoever attacks has machines of his own: what he computes must not be what others notice. On Linux this is of the thread alone.
if (process.platform === 'linux') setPriority(0, 15)

const { name, url, clients, patients } = workerData as AttackData
const port = parentPort!
const over = new AbortController()
const tokens = clients.map((client) => earlyTokens(`${url}/r4/${hostileTenant}`, client, over.signal))
// To become known is no part of an attack.
await Promise.all(tokens.map((token) => token()))
const attacker = new Attacker(url, tokens, over.signal)
const attack = [...attacks, ...company].find((one) => one.name === name)!

port.once('message', () => over.abort())
const ended = attack.run(attacker, patients).catch((error: unknown) => {
  if (!over.signal.aborted) throw error
})
port.postMessage('started')
await ended
while (!over.signal.aborted) await sleep(50)
port.postMessage(attacker.cost)
// What was about to be asked is not any more.
port.close()
setImmediate(() => process.exit())

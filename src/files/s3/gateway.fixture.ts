import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** What the keeper tells everybody who connects, as a line. */
export type GatewayNews = { readonly endpoint: string } | { readonly failure: string }

/** In the abstract namespace: it goes with the process that listens. */
export const gatewaySocket = `\0millrace-gateway-${process.getuid?.() ?? 0}`

const keeper = fileURLToPath(new URL('./gateway-keeper.fixture.ts', import.meta.url))
const needed = ['ceph', 'ceph-mon', 'ceph-osd', 'monmaptool', 'radosgw', 'radosgw-admin', 'setpriv']
const joinEveryMs = 100
/** One that was about to end may have been met. */
const startEveryTries = 50

/** Why there is no S3 to test with; false where there is one. Given to the `skip` of tests. */
export const gatewaySkipped: string | false = (() => {
  const folders = (process.env.PATH ?? '').split(delimiter).concat('/usr/bin', '/usr/sbin')
  const missing = needed.filter((name) => !folders.some((folder) => existsSync(join(folder, name))))
  return missing.length > 0 && `S3 IS NOT TESTED: no ${missing.join(', ')} (apt-get install ceph-mon ceph-osd radosgw)`
})()

/** A hold of the S3 that all test files share: the first one starts it, and it ends soon after the last hold. */
export interface Gateway {
  readonly endpoint: string
  readonly release: () => void
}

export async function holdGateway(): Promise<Gateway> {
  const socket = await joined()
  const news = JSON.parse(await firstLine(socket)) as GatewayNews
  if ('failure' in news) throw new Error(`the gateway has not started: ${news.failure}`)
  return { endpoint: news.endpoint, release: () => socket.destroy() }
}

async function joined(): Promise<Socket> {
  for (let tried = 0; ; tried++) {
    const socket = connect(gatewaySocket)
    try {
      await once(socket, 'connect')
      return socket
    } catch {
      if (tried % startEveryTries === 0) spawn(process.execPath, [keeper], { stdio: 'ignore', detached: true }).unref()
      await pause(joinEveryMs)
    }
  }
}

async function firstLine(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += chunk
    if (text.endsWith('\n')) return text
  }
  throw new Error('the keeper of the gateway has gone')
}

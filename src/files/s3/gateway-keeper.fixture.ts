import { createServer, type Socket } from 'node:net'
import { CephCluster } from './ceph-cluster.fixture.ts'
import { type GatewayNews, gatewaySocket } from './gateway.fixture.ts'

/** So long a gateway waits for the next test file when the last one has left. */
const idleMs = 20_000

/** Keeps one gateway for all processes that test with it, as long as one of them is connected. */
const guests = new Set<Socket>()
const server = createServer((guest) => {
  guests.add(guest)
  clearTimeout(idle)
  guest.on('error', () => {})
  guest.once('close', () => {
    guests.delete(guest)
    wait()
  })
  guest.resume()
  if (news) guest.write(`${JSON.stringify(news)}\n`)
})
let news: GatewayNews | undefined
let cluster: CephCluster | undefined
let idle: NodeJS.Timeout | undefined

function wait(): void {
  clearTimeout(idle)
  if (guests.size === 0) idle = setTimeout(end, idleMs)
}

async function end(): Promise<void> {
  // Whoever comes from now on starts another one.
  server.close()
  await cluster?.stop()
  process.exit(0)
}

// Another process was faster: its gateway is as good.
server.once('error', () => process.exit(0))
server.listen(gatewaySocket, async () => {
  wait()
  try {
    cluster = await CephCluster.start()
    news = { endpoint: cluster.endpoint }
  } catch (error) {
    news = { failure: (error as Error).message }
  }
  for (const guest of guests) guest.write(`${JSON.stringify(news)}\n`)
  if ('failure' in news) setTimeout(end, 1_000)
})

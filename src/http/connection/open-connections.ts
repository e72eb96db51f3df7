import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { BlockList, isIPv6, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { networkOf } from '../../access/network-of.ts'
import type { ConnectionBounds } from './connection-bounds.ts'

/** Why a connection was closed before its time, for the log. */
export type Drop =
  /** Its address has as many as it may, and it was without a request for longest; or it was the one too many. */
  | 'address full'
  /** All addresses together have as many as there may be. */
  | 'server full'
  /** Nothing was ever said on it. */
  | 'silent'
  /** It asked for more before it had its answers than may be asked at once. */
  | 'too many at once'

interface Connection {
  readonly socket: Socket
  readonly network: string
  /** Requests that are not answered yet. */
  requests: number
  /** The last of them, and when its headers had come. */
  last?: { readonly message: IncomingMessage; readonly since: number }
}

/** Those of one address, or all: the ones without a request in the order in which they fell idle. */
interface Places {
  readonly idle: Set<Connection>
  readonly open: Set<Connection>
}

type Bounds = Pick<
  ConnectionBounds,
  'connectionsMax' | 'connectionsOfAddressMax' | 'firstByteMsMax' | 'requestsAtOnceMax'
>

/**
 * Shares the connections of a server among addresses, so that none can take them all by holding them. An address is an IPv4 address or
 * an IPv6 /64; a proxy that is named is none, because everybody comes from there. Where there is no place for one more, that one goes
 * which has been without a request for longest, then the one whose request has not come completely for longest. What is being answered
 * is never broken off: then it is the new one that goes, unanswered.
 */
export class OpenConnections {
  readonly #bounds: Bounds
  readonly #proxies: BlockList
  readonly #dropped: (drop: Drop, network: string) => void
  readonly #all: Places = { idle: new Set(), open: new Set() }
  readonly #ofNetwork = new Map<string, Places>()
  /** By both ends, because the socket of a TLS session is another one than the socket it came on. */
  readonly #byEnds = new Map<string, Connection>()

  constructor(bounds: Bounds, proxies: readonly string[], dropped: (drop: Drop, network: string) => void) {
    this.#bounds = bounds
    this.#proxies = listOf(proxies)
    this.#dropped = dropped
  }

  /** Addresses that have connections at the moment. */
  get networks(): number {
    return this.#ofNetwork.size
  }

  /** Connections that are open at the moment. */
  get open(): number {
    return this.#all.open.size
  }

  follow(server: Server): void {
    const tls = 'setSecureContext' in server
    server.on('connection', (socket: Socket) => {
      if (this.#admit(socket) && !tls) this.#expectByte(socket)
    })
    if (tls) (server as Server).on('secureConnection', (socket: TLSSocket) => this.#expectByte(socket))
    server.on('request', (message, response) => this.#asked(message, response))
  }

  #admit(socket: Socket): boolean {
    const { remoteAddress } = socket
    // It has gone already.
    if (remoteAddress === undefined) {
      socket.destroy()
      return false
    }
    const network = networkOf(remoteAddress)
    const places = this.#ofNetwork.get(network)
    const ofAddressMax = this.#isProxy(remoteAddress) ? Number.POSITIVE_INFINITY : this.#bounds.connectionsOfAddressMax
    const room =
      this.#makeRoom(places, ofAddressMax, 'address full', network) &&
      this.#makeRoom(this.#all, this.#bounds.connectionsMax, 'server full', network)
    if (!room) {
      socket.destroy()
      return false
    }
    this.#enter({ socket, network, requests: 0 })
    return true
  }

  /** Whether one more may come, after another was let go where that was needed. */
  #makeRoom(places: Places | undefined, max: number, drop: Drop, newcomer: string): boolean {
    if (!places || places.open.size < max) return true
    const leaving = longestWaitedFor(places)
    this.#dropped(drop, leaving?.network ?? newcomer)
    if (!leaving) return false
    this.#leave(leaving)
    leaving.socket.destroy()
    return true
  }

  #enter(connection: Connection): void {
    const { socket, network } = connection
    const ends = endsOf(socket)
    const places = this.#ofNetwork.get(network) ?? { idle: new Set(), open: new Set() }
    this.#ofNetwork.set(network, places)
    this.#byEnds.set(ends, connection)
    for (const { idle, open } of [places, this.#all]) {
      idle.add(connection)
      open.add(connection)
    }
    socket.once('close', () => {
      if (this.#byEnds.get(ends) === connection) this.#byEnds.delete(ends)
      this.#leave(connection)
    })
  }

  #leave(connection: Connection): void {
    const places = this.#ofNetwork.get(connection.network)
    for (const { idle, open } of [this.#all, ...(places ? [places] : [])]) {
      idle.delete(connection)
      open.delete(connection)
    }
    if (places?.open.size === 0) this.#ofNetwork.delete(connection.network)
  }

  /**
   * A connection on which nothing is said costs its holder nothing, so it is not waited for as long as for a request that has begun.
   * A proxy opens connections ahead of its callers.
   */
  #expectByte(socket: Socket): void {
    if (socket.remoteAddress !== undefined && this.#isProxy(socket.remoteAddress)) return
    const timer = setTimeout(() => {
      if (socket.bytesRead > 0) return
      this.#dropped('silent', networkOf(socket.remoteAddress ?? ''))
      socket.destroy()
    }, this.#bounds.firstByteMsMax)
    timer.unref()
    socket.once('close', () => clearTimeout(timer))
  }

  #asked(message: IncomingMessage, response: ServerResponse): void {
    const connection = this.#byEnds.get(endsOf(message.socket))
    if (!connection) return
    connection.requests += 1
    connection.last = { message, since: performance.now() }
    this.#all.idle.delete(connection)
    this.#ofNetwork.get(connection.network)?.idle.delete(connection)
    response.once('close', () => this.#answered(connection))
    if (connection.requests > this.#bounds.requestsAtOnceMax && !message.socket.destroyed) {
      this.#dropped('too many at once', connection.network)
      message.socket.destroy()
    }
  }

  #answered(connection: Connection): void {
    connection.requests -= 1
    if (connection.requests > 0 || !this.#all.open.has(connection)) return
    delete connection.last
    this.#all.idle.add(connection)
    this.#ofNetwork.get(connection.network)?.idle.add(connection)
  }

  #isProxy(address: string): boolean {
    const plain = address.replace(/^::ffff:(?=[\d.]+$)/i, '').replace(/%.*$/, '')
    return this.#proxies.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
  }
}

/** Who keeps the server waiting for longest: without a request, or in the middle of one. */
function longestWaitedFor({ idle, open }: Places): Connection | undefined {
  const [first] = idle
  if (first) return first
  let longest: Connection | undefined
  for (const connection of open) {
    if (!connection.last || connection.last.message.complete) continue
    if (!longest?.last || connection.last.since < longest.last.since) longest = connection
  }
  return longest
}

const endsOf = ({ localAddress, remoteAddress, remotePort }: Socket): string =>
  `${localAddress} ${remoteAddress} ${remotePort}`

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const type = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, type)
    else list.addSubnet(address, Number(prefix), type)
  }
  return list
}

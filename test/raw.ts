import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A connection on which a test says what no HTTP client would. Nothing is added. */
export class RawConnection {
  readonly socket: Socket
  /** Everything that has come back. */
  received = ''
  /** Resolves with everything received when the connection is closed, in whatever way. */
  readonly closed: Promise<string>

  /** `localAddress`: from where; another address of 127.0.0.0/8 counts as another caller. */
  constructor(url: string, localAddress?: string) {
    const { hostname, port } = new URL(url)
    this.socket = connect({ host: hostname, port: Number(port), ...(localAddress ? { localAddress } : {}) })
    this.socket.on('error', () => {})
    this.socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1')
    })
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve(this.received)))
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Resolves when what has come back matches. @throws when the connection closes before */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.received)) {
      if (this.socket.destroyed) throw new Error(`closed before ${pattern}: ${this.received.slice(0, 500)}`)
      await Promise.race([once(this.socket, 'data'), this.closed])
    }
    return this.received
  }
}

/** Sends bytes and gives everything that comes back until the server closes the connection. */
export function rawExchange(url: string, bytes: string | Buffer): Promise<string> {
  const connection = new RawConnection(url)
  connection.send(bytes)
  return connection.closed
}

/** The status codes of all answers in what came back on one connection. */
export const rawStatuses = (received: string): number[] =>
  [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))

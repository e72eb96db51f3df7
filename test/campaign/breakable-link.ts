import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

interface Pair {
  readonly near: Socket
  readonly far: Socket
  /** The watches of which the first text has been sent here. */
  readonly prepared: Set<Watch>
}

interface Watch {
  readonly first: string
  readonly then: string
  readonly reaction: (pair: Pair) => void
}

/** A TCP port that leads to a database, or to the one that took its place, and breaks in every way that a network does. */
export class BreakableLink {
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  #target: number
  #stalled = false
  #swallowing = false
  readonly #watches = new Set<Watch>()

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer((near) => this.#accept(near))
  }

  /** @param target port of the database on this machine */
  static async open(target: number): Promise<BreakableLink> {
    const link = new BreakableLink(target)
    link.#server.listen(0, '127.0.0.1')
    await once(link.#server, 'listening')
    return link
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Leads new connections elsewhere, as an address does that follows the primary. */
  leadTo(target: number): void {
    this.#target = target
    this.breakAll()
  }

  breakAll(): void {
    for (const pair of this.#pairs) destroy(pair)
  }

  /** Carries nothing in either direction, and loses nothing. */
  stall(): void {
    this.#stalled = true
    for (const { near, far } of this.#pairs) for (const socket of [near, far]) socket.pause()
  }

  /** Loses what either side sends from now on, and says nothing of it. */
  swallow(): void {
    this.#swallowing = true
  }

  /** Ends what servers send; what the database sends goes on. */
  halfClose(): void {
    for (const { far } of this.#pairs) far.end()
  }

  /** Carries again. What has lost bytes is broken. */
  heal(): void {
    this.#stalled = false
    if (this.#swallowing) this.breakAll()
    this.#swallowing = false
    for (const { near, far } of this.#pairs) for (const socket of [near, far]) socket.resume()
  }

  /** Lets the next commit through, of a connection that has sent a text before, and breaks the connection in place of the answer. */
  loseCommit(after = ''): Promise<void> {
    return new Promise((resolve) => {
      this.#react(after, 'commit\0', (pair) => {
        pair.far.removeAllListeners('data')
        pair.far.once('data', () => {
          destroy(pair)
          resolve()
        })
      })
    })
  }

  /** Breaks the connection that is the next to send a text, in place of sending it. */
  breakAt(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#react('', text, (pair) => {
        destroy(pair)
        resolve()
      })
    })
  }

  /** Resolves when somebody sends a text. */
  sent(text: string): Promise<void> {
    return new Promise((resolve) => this.#react('', text, () => resolve()))
  }

  /** Waits no more for what has not been sent. */
  forget(): void {
    this.#watches.clear()
  }

  async close(): Promise<void> {
    this.#server.close()
    this.breakAll()
  }

  #react(first: string, then: string, reaction: (pair: Pair) => void): void {
    this.#watches.add({ first, then, reaction })
  }

  #accept(near: Socket): void {
    const pair = { near, far: connect(this.#target, '127.0.0.1'), prepared: new Set<Watch>() }
    this.#pairs.add(pair)
    this.#forward(pair, near, pair.far)
    this.#forward(pair, pair.far, near)
    if (this.#stalled) for (const socket of [near, pair.far]) socket.pause()
  }

  #forward(pair: Pair, from: Socket, to: Socket): void {
    from.on('error', () => {})
    from.once('close', () => {
      this.#pairs.delete(pair)
      to.destroy()
    })
    from.once('end', () => to.end())
    from.on('data', (bytes) => {
      if (from === pair.near) this.#look(pair, bytes)
      if (this.#swallowing || to.destroyed || to.write(bytes)) return
      from.pause()
      to.once('drain', () => {
        if (!this.#stalled) from.resume()
      })
    })
  }

  #look(pair: Pair, bytes: Buffer): void {
    for (const watch of this.#watches) {
      if (bytes.includes(watch.first)) pair.prepared.add(watch)
      if (!pair.prepared.has(watch) || !bytes.includes(watch.then)) continue
      this.#watches.delete(watch)
      watch.reaction(pair)
    }
  }
}

function destroy({ near, far }: Pair): void {
  near.destroy()
  far.destroy()
}

import { TooManyBytes } from '../bytes/bytes-in-flight.ts'
import type { Room } from '../bytes/room.ts'
import type { FromThread, ToThread } from './handed-request.ts'

/** The bytes in flight as another thread sees them, which has one request at a time. */
export class DistantRoom implements Room {
  readonly #tell: (message: FromThread) => void
  /** In the order in which they asked. */
  #waiting: PromiseWithResolvers<void>[] = []

  constructor(tell: (message: FromThread) => void) {
    this.#tell = tell
  }

  take(bytes: number): Promise<void> {
    const asked = Promise.withResolvers<void>()
    this.#waiting.push(asked)
    this.#tell({ kind: 'take', bytes })
    return asked.promise
  }

  told(message: ToThread & { readonly kind: 'room' | 'no room' }): void {
    const asked = this.#waiting.shift()
    if (message.kind === 'room') asked?.resolve()
    else asked?.reject(new TooManyBytes(message.whose, message.bytesMax))
  }
}

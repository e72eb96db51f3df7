import type { FastifyRequest } from 'fastify'

/** Room for what is read for a request, among the bytes in flight. */
export interface Room {
  /**
   * Takes it, before there is memory for it.
   * @throws TooManyBytes
   */
  readonly take: (bytes: number) => void | Promise<void>
}

const rooms = new WeakMap<FastifyRequest, Room>()

/** Where what is read for a request is counted. */
export const roomOf = (request: FastifyRequest): Room => rooms.get(request)!

export function giveRoom(request: FastifyRequest, room: Room): void {
  rooms.set(request, room)
}

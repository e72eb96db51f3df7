import type { FastifyReply } from 'fastify'
import type { Meter } from '../../telemetry/meter.ts'
import { onceAnswerEnds } from '../bytes/answer-end.ts'
import type { ConnectionBounds } from '../connection/connection-bounds.ts'

type PaceBounds = Pick<ConnectionBounds, 'paceMs' | 'paceBytesMin'>

/** Told how a download ended, and how many bytes its connection had been given. */
export type DownloadEnd = (outcome: 'complete' | 'broken off' | 'slow reader', bytes: number) => void

/** Counts the ends of downloads. */
export const countDownloads =
  (meter: Meter): DownloadEnd =>
  (outcome, bytes) => {
    meter.count('millrace_downloads_total', { outcome })
    meter.count('millrace_download_bytes_total', {}, bytes)
  }

/** Whether the reader of a file has gone already: then nothing may be opened for it, and that is logged. */
export function isGone({ raw, request, log }: FastifyReply, ended: DownloadEnd): boolean {
  if (!request.raw.socket.destroyed && !raw.closed) return false
  ended('broken off', 0)
  log.info({ bytes: 0 }, 'download broken off')
  return true
}

/**
 * Lets a reader go that takes an answer too slowly: it would hold a file and a connection for ever. With the connection the stream
 * behind the answer is closed. What is missing can be fetched later with `Range`. A download that does not come to its end is one line of
 * the log, whoever ended it.
 *
 * @returns false when the reader has gone already
 */
export function keepPace(
  reply: FastifyReply,
  { paceMs, paceBytesMin }: PaceBounds,
  ended: DownloadEnd = () => {},
): boolean {
  if (isGone(reply, ended)) return false
  const response = reply.raw
  // The request's socket: an answer has none of its own while the one before it on the same connection is not ended.
  const { socket } = reply.request.raw
  const before = socket.bytesWritten
  let taken = before
  let slow = false
  const beat = setInterval(() => {
    slow = socket.bytesWritten - taken < paceBytesMin
    taken = socket.bytesWritten
    if (slow) socket.destroy()
  }, paceMs)
  beat.unref()
  onceAnswerEnds(reply.request.raw, response, () => {
    clearInterval(beat)
    const bytes = socket.bytesWritten - before
    ended(response.writableFinished ? 'complete' : slow ? 'slow reader' : 'broken off', bytes)
    if (!response.writableFinished) reply.log.info({ bytes }, slow ? 'slow reader' : 'download broken off')
  })
  return true
}

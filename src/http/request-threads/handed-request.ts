import type { AuditEntry } from '../../audit/entry.ts'
import type { Profile } from '../../protocol/profile.ts'
import type { Measured } from '../../telemetry/distant-meter.ts'
import type { Whose } from '../bytes/bytes-in-flight.ts'
import type { Intent } from '../fair-queue.ts'

/** Who calls, as it crosses threads: the grant is made again from its scopes. */
interface HandedCaller {
  readonly tenant: string
  readonly client: string
  readonly scopes: readonly string[]
}

/** A request of a known caller that another thread carries out. */
export interface HandedRequest {
  readonly id: string
  readonly method: string
  /** As the router sees it. */
  readonly url: string
  /** The trace that it belongs to. */
  readonly traceparent: string | undefined
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  readonly address: string
  readonly caller: HandedCaller
  readonly profile: Profile
  readonly publicUrl: string
  /** It writes records: what it costs is known by nobody before. */
  readonly writes: boolean
  readonly body: Uint8Array | undefined
}

/** What is to be answered. */
export interface HandedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly payload: Uint8Array
  /** Bytes of the payload, which an answer to HEAD does not have. */
  readonly length: number
  /** As how many requests it counts what the request turned out to bring. */
  readonly charged: number
}

/**
 * What a thread is told: a request, one at a time; that its write may begin, or may not even wait; that there is room for what it reads, or
 * that there is none.
 */
export type ToThread =
  | { readonly kind: 'request'; readonly request: HandedRequest }
  | { readonly kind: 'admitted' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'room' }
  | { readonly kind: 'no room'; readonly whose: Whose; readonly bytesMax: number }

/** What it tells. `enter` and `leave` are for the queue of writes, `take` for the bytes in flight, which all threads share. */
export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly answer: HandedAnswer }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'enter'; readonly intent: Intent }
  | { readonly kind: 'leave' }
  | { readonly kind: 'take'; readonly bytes: number }
  | { readonly kind: 'note'; readonly entry: AuditEntry }
  | { readonly kind: 'measured'; readonly measured: Measured }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly fields: object; readonly text: string | undefined }

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
export type LogLevel = (typeof logLevels)[number]

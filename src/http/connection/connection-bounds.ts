/** How long and how much a connection may take. Every bound of a connection is here; tests pass smaller ones. */
export interface ConnectionBounds {
  /** From the opening of a connection, or the answer before, to the end of a request's headers. */
  readonly headersMsMax: number
  /** To the end of a request's body. */
  readonly requestMsMax: number
  /** How often requests that are late are looked for. */
  readonly lateEveryMs: number
  /** Without a byte in either direction, in the middle of a request or an answer. */
  readonly silenceMsMax: number
  /** Between two requests of a connection. Longer than what proxies keep (60 s), so that they close first. */
  readonly keepAliveMsMax: number
  /** From the opening of a connection, or the end of its TLS handshake, to the first byte. */
  readonly firstByteMsMax: number
  /** Of one TLS handshake. */
  readonly handshakeMsMax: number
  /** From the moment when an answer is there until its reader has taken it all; files have a pace instead. */
  readonly answerMsMax: number
  /** A reader of a file must take so many bytes in each such time, or the rest of the file. */
  readonly paceMs: number
  readonly paceBytesMin: number
  /** The request line and all headers together. */
  readonly headersBytesMax: number
  /** Sent on a connection before the first of them is answered; with one more it is closed. Each is at work, whoever waits for its answer. */
  readonly requestsAtOnceMax: number
  /** Then the connection is closed, so that clients spread again over several servers. */
  readonly requestsPerConnectionMax: number
  /** Open connections of all, and of one address. For one more, the one goes that has been idle for longest. */
  readonly connectionsMax: number
  readonly connectionsOfAddressMax: number
}

export const connectionBounds: ConnectionBounds = {
  headersMsMax: 20_000,
  requestMsMax: 120_000,
  lateEveryMs: 2_000,
  silenceMsMax: 120_000,
  keepAliveMsMax: 75_000,
  firstByteMsMax: 5_000,
  handshakeMsMax: 10_000,
  answerMsMax: 120_000,
  paceMs: 120_000,
  paceBytesMin: 512 * 1024,
  headersBytesMax: 32 * 1024,
  requestsAtOnceMax: 100,
  requestsPerConnectionMax: 10_000,
  connectionsMax: 2_000,
  connectionsOfAddressMax: 250,
}

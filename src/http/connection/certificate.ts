import { X509Certificate } from 'node:crypto'
import { open } from 'node:fs/promises'
import {
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TlsOptions,
} from 'node:tls'
import type { FastifyBaseLogger } from 'fastify'
import { Failure } from '../../failure.ts'

/** Paths of a certificate chain and its private key, both PEM, the key without a passphrase. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

/** How often the files are read again. Reading them finds every way of replacing them, also behind symbolic links and on network disks. */
const readEveryMs = 10_000
const pemBytesMax = 1024 * 1024

/** TLS 1.2 only with forward secrecy and authenticated encryption; TLS 1.3 has nothing else (B1). */
const protection = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
  ].join(':'),
} as const satisfies SecureContextOptions

interface Pair {
  readonly cert: string
  readonly key: string
}

/** The certificate a server shows. New files are taken up while it runs; what cannot be used is told and the old pair stays. */
export class Certificate {
  readonly #files: CertificateFiles
  readonly #log: FastifyBaseLogger
  #pair: Pair
  #context: SecureContext
  /** What the last look found, usable or not, so that one fault is told once. */
  #seen: string
  #server: Server | undefined
  #timer: NodeJS.Timeout | undefined

  private constructor(files: CertificateFiles, log: FastifyBaseLogger, pair: Pair) {
    this.#files = files
    this.#log = log
    this.#pair = pair
    this.#context = contextOf(pair)
    this.#seen = pair.cert + pair.key
  }

  /** @throws Failure when a file cannot be read, or the two do not belong together. */
  static async open(files: CertificateFiles, log: FastifyBaseLogger): Promise<Certificate> {
    try {
      const pair = await readPair(files)
      const certificate = new Certificate(files, log, pair)
      log.info({ validTo: certificate.validTo.toISOString() }, 'certificate')
      return certificate
    } catch (cause) {
      throw new Failure(
        `The TLS certificate ${files.cert} with the key ${files.key} cannot be used: ${(cause as Error).message}.`,
        'Give a PEM file with the certificate and its chain, and a PEM file with its private key, without a passphrase.',
        { cause },
      )
    }
  }

  /** For the making of the server. Clients that name the server are shown the present pair by every one of its sockets. */
  get options(): TlsOptions {
    return {
      ...this.#pair,
      ...protection,
      SNICallback: (_name, done) => done(null, this.#context),
    }
  }

  /** Until when the one that is shown is valid. */
  get validTo(): Date {
    return new X509Certificate(this.#pair.cert).validToDate
  }

  /** From now on the server shows what the files hold. */
  follow(server: Server): void {
    this.#server = server
    this.#timer = setInterval(() => this.reload(), readEveryMs).unref()
  }

  /** Looks at the files now. Never throws. */
  async reload(): Promise<void> {
    let found = ''
    try {
      const pair = await readPair(this.#files)
      found = pair.cert + pair.key
      if (found === this.#seen) return
      this.#context = contextOf(pair)
      this.#pair = pair
      this.#server?.setSecureContext({ ...pair, ...protection })
      this.#log.info({ validTo: this.validTo.toISOString() }, 'certificate replaced')
    } catch (error) {
      const { message: reason } = error as Error
      found ||= reason
      if (found === this.#seen) return
      this.#log.error({ reason }, 'new certificate cannot be used, the old one stays')
    } finally {
      this.#seen = found
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }
}

async function readPair(files: CertificateFiles): Promise<Pair> {
  return { cert: await readPem(files.cert), key: await readPem(files.key) }
}

async function readPem(path: string): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size > pemBytesMax) throw new Error(`${path} is larger than ${pemBytesMax} bytes`)
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/** @throws when they are not PEM, or the key is not the certificate's. */
const contextOf = (pair: Pair): SecureContext => createSecureContext({ ...pair, ...protection })

import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'

/** A check takes 128 × N × r bytes: 16 MiB. The secret itself is random, so that more would protect nothing more. */
const cost = { N: 16_384, r: 8, p: 1 } as const
const secretBytes = 32
const saltBytes = 16
const hashBytes = 32
/** Characters of a secret that is looked at. */
const secretCharsMax = 256
/** Checks that run at a time: with `cost` they take 32 MiB together, however many requests come (B25). */
const checksMax = 2
/** Requests that wait for a check. */
const waitingMax = 64

/** A new client secret. It is shown once; only its hash is stored. */
export const newClientSecret = (): string => randomBytes(secretBytes).toString('base64url')

/** The text that is stored for a secret: `scrypt$N$r$p$salt$hash`. */
export async function hashClientSecret(secret: string): Promise<string> {
  const salt = randomBytes(saltBytes)
  const hash = await derive(secret, salt, hashBytes, cost)
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), hash.toString('base64url')].join('$')
}

/** Checks client secrets: few at a time, in constant time. */
export class SecretChecks {
  readonly #waiting: (() => void)[] = []
  #running = 0
  #decoy: Promise<string> | undefined

  /**
   * Whether the secret is the one whose hash is stored. Without a hash the same work is done in vain, so that the time
   * does not tell whether there is such a client. `busy` when too many requests wait already.
   */
  async check(secret: string, stored: string | undefined): Promise<boolean | 'busy'> {
    if (this.#running >= checksMax) {
      if (this.#waiting.length >= waitingMax) return 'busy'
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else this.#running++
    try {
      const matches = await isSecret(secret.slice(0, secretCharsMax), stored ?? (await this.#decoyHash()))
      return matches && stored !== undefined && secret.length <= secretCharsMax
    } finally {
      const next = this.#waiting.shift()
      // The place is handed on, so nobody can slip in between.
      if (next) next()
      else this.#running--
    }
  }

  #decoyHash(): Promise<string> {
    this.#decoy ??= hashClientSecret(newClientSecret())
    return this.#decoy
  }
}

async function isSecret(secret: string, stored: string): Promise<boolean> {
  const [name, N, r, p, salt = '', hash = ''] = stored.split('$')
  if (name !== 'scrypt') throw new Error('a client secret is stored in an unknown form')
  const expected = Buffer.from(hash, 'base64url')
  const options = { N: Number(N), r: Number(r), p: Number(p) }
  return timingSafeEqual(await derive(secret, Buffer.from(salt, 'base64url'), expected.length, options), expected)
}

const derive = (secret: string, salt: Buffer, length: number, options: ScryptOptions): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(secret, salt, length, options, (error, key) => (error ? reject(error) : resolve(key)))
  })

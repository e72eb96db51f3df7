import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { type StoreTrouble, UnusableStore } from '../file-store.ts'
import type { Bucket } from './bucket.ts'

/** What was seen counts for so long. */
const lookMs = 5_000

/** Whether a store could be used when it was last looked at: who asks does not wait for a store that does not answer. */
export class LastLook {
  readonly #bucket: Bucket
  #trouble: StoreTrouble | undefined
  #looked = Number.NEGATIVE_INFINITY
  #looking = false

  constructor(bucket: Bucket) {
    this.#bucket = bucket
  }

  get trouble(): StoreTrouble | undefined {
    if (!this.#looking && performance.now() - this.#looked > lookMs) void this.#look()
    return this.#trouble
  }

  async #look(): Promise<void> {
    this.#looking = true
    const { place, client } = this.#bucket
    const list = new ListObjectsV2Command({ Bucket: place.bucket, Prefix: place.prefix, MaxKeys: 1 })
    this.#trouble = await this.#bucket
      .askSoon((sent) => client.send(list, sent))
      .then(
        () => undefined,
        (fault) => (fault instanceof UnusableStore ? fault.trouble : 'refused'),
      )
    this.#looked = performance.now()
    this.#looking = false
  }
}

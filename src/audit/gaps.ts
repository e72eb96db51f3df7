import type { AuditEntry } from './entry.ts'

/** Counts that tell callers apart; beyond them there is one for each chain. */
export const gapsMax = 500

/** What refusals that are counted only have in common, as far as it is told: a client, or the network and the reason of strangers. */
type Common = Readonly<Record<string, string>>

/** Refusals that are counted only. */
export interface Gap {
  readonly tenant: string
  readonly common: Common
  readonly entries: number
}

/** Counts refusals by chain and by what they have in common. Beyond `gapsMax` counts, only chains are told apart. */
export class Gaps {
  readonly #gaps = new Map<string, Gap>()

  get size(): number {
    return this.#gaps.size
  }

  list(max: number): Gap[] {
    return [...this.#gaps.values()].slice(0, max)
  }

  take(): Gap[] {
    const all = [...this.#gaps.values()]
    this.#gaps.clear()
    return all
  }

  add({ tenant, common, entries }: Gap): void {
    const key = JSON.stringify([tenant, common])
    const before = this.#gaps.get(key)
    if (!before && Object.keys(common).length > 0 && this.#gaps.size >= gapsMax) {
      this.add({ tenant, common: {}, entries })
      return
    }
    const sum = (before?.entries ?? 0) + entries
    if (sum > 0) this.#gaps.set(key, { tenant, common, entries: sum })
    else this.#gaps.delete(key)
  }
}

export const gapEntry = ({ tenant, common, entries }: Gap): AuditEntry => ({
  tenant,
  kind: 'gap',
  outcome: 'failed',
  agent: { kind: 'server' },
  reason: 'more requests were refused than are kept one by one',
  detail: { entries, ...common },
})

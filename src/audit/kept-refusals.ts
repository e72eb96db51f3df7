/** How many refusals of an interval are kept whole. */
export interface KeptBounds {
  /** Of one caller in one chain for one reason. */
  readonly ofKindMax: number
  /** Of one caller. */
  readonly ofCallerMax: number
  /** Of all callers. */
  readonly ofAllMax: number
}

/** Of networks, behind which nobody is known. 500 entries of half a kilobyte in a minute are 400 MB a day, and that needs many networks. */
export const keptOfStrangers: KeptBounds = { ofKindMax: 5, ofCallerMax: 50, ofAllMax: 500 }
/** Of clients, who have shown who they are and can be disabled. */
export const keptOfClients: KeptBounds = { ofKindMax: 100, ofCallerMax: 300, ofAllMax: 3_000 }

/**
 * Decides which refusals of an interval are kept whole: the first few of each kind. Who repeats one a thousand times neither fills the trail
 * nor hides another kind under it. What is remembered is bounded by what is kept.
 */
export class KeptRefusals {
  readonly #bounds: KeptBounds
  readonly #ofKind = new Map<string, number>()
  readonly #ofCaller = new Map<string, number>()
  #ofAll = 0

  constructor(bounds: KeptBounds) {
    this.#bounds = bounds
  }

  /** Whether one more is kept; then it has counted. */
  admit(caller: string, kind: string): boolean {
    const { ofKindMax, ofCallerMax, ofAllMax } = this.#bounds
    const key = JSON.stringify([caller, kind])
    const ofKind = this.#ofKind.get(key) ?? 0
    const ofCaller = this.#ofCaller.get(caller) ?? 0
    if (ofKind >= ofKindMax || ofCaller >= ofCallerMax || this.#ofAll >= ofAllMax) return false
    this.#ofKind.set(key, ofKind + 1)
    this.#ofCaller.set(caller, ofCaller + 1)
    this.#ofAll += 1
    return true
  }

  /** The next interval begins. */
  clear(): void {
    this.#ofKind.clear()
    this.#ofCaller.clear()
    this.#ofAll = 0
  }
}

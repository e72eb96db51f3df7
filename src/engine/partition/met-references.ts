const blank = 0x20

/** FNV-1a of 32 bits. */
const hashBasis = 0x81_1c_9d_c5
const hashPrime = 0x01_00_01_93

/** How many references are remembered, a power of two; and what the longest takes: a type's name, a slash and an id (64 characters). */
const slots = 8192
const slotBytes = 96

/**
 * The references that were met lately. Records refer to the same few others again and again, so what a list holds is mostly known:
 * that is told from its bytes, without making texts of them. A reference that pushes another out of its place makes that new again.
 */
export class MetReferences {
  /** A length, then so many bytes. Made when it is needed. */
  #slots: Buffer | undefined

  /** @param list blank-separated references in ASCII */
  eachNew(list: Buffer, take: (reference: string) => void): void {
    for (let start = 0; start < list.length; ) {
      let hash = hashBasis
      let end = start
      for (; end < list.length && list[end] !== blank; end++) hash = Math.imul(hash ^ list[end]!, hashPrime)
      const slot = ((hash ^ (hash >>> 15)) & (slots - 1)) * slotBytes
      if (!this.#meets(list, start, end, slot)) take(list.toString('latin1', start, end))
      start = end + 1
    }
  }

  /** Whether the slot has this reference; it has it then. */
  #meets(list: Buffer, start: number, end: number, slot: number): boolean {
    this.#slots ??= Buffer.alloc(slots * slotBytes)
    const known = this.#slots
    const size = end - start
    if (size >= slotBytes) return false
    if (known[slot] === size && holds(known, slot + 1, list, start, size)) return true
    known[slot] = size
    list.copy(known, slot + 1, start, end)
    return false
  }
}

function holds(known: Buffer, at: number, list: Buffer, start: number, size: number): boolean {
  for (let index = 0; index < size; index++) if (known[at + index] !== list[start + index]) return false
  return true
}

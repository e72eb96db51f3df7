/** An entry as the others of its Bundle may name it. */
export interface NamedEntry {
  readonly fullUrl?: string | undefined
  /** `Type/id` as the source states it, where it does; all of them, where it states several. */
  readonly stated?: string | readonly string[] | undefined
  /** `Type/id` that the record has, or will have, in the store; undefined for an entry that becomes no record. */
  readonly key: string | undefined
}

/**
 * Who is who in one Bundle (R4 bundle.html#references): an entry is known by its `fullUrl`, and references are resolved by that before
 * anybody looks elsewhere, so that a reference to an entry never ends at another record that happens to have the same id.
 */
export class BundleIdentities {
  /** `fullUrl`s that stand at more than one entry (bdl-7). Entries without a key count too. */
  readonly duplicates: readonly string[]
  /** Service roots of the RESTful `fullUrl`s: absolute references below them mean records of the source. */
  readonly roots: readonly string[]
  readonly #keys = new Map<string, string | undefined>()
  /** What entries state without being believed: names only where a referring entry has no RESTful `fullUrl`. */
  readonly #stated = new Map<string, string>()
  readonly #ambiguous = new Set<string>()
  readonly #twice = new Set<string>()

  constructor(entries: readonly NamedEntry[]) {
    const duplicates = new Set<string>()
    const roots = new Set<string>()
    for (const { fullUrl, stated, key } of entries) {
      if (key !== undefined) {
        for (const name of [stated ?? []].flat()) {
          if (this.#stated.has(name) && this.#stated.get(name) !== key) this.#ambiguous.add(name)
          this.#stated.set(name, key)
        }
      }
      if (fullUrl === undefined) continue
      const name = nameOf(fullUrl)
      if (this.#keys.has(name)) {
        duplicates.add(fullUrl)
        this.#twice.add(name)
      }
      this.#keys.set(name, key)
      const root = rootOf(fullUrl)
      if (root !== undefined) roots.add(root)
    }
    this.duplicates = [...duplicates]
    this.roots = [...roots]
  }

  /**
   * The `Type/id` that a reference means, if it means an entry of the Bundle.
   * @param from the `fullUrl` of the entry that refers
   * @returns undefined when no entry is meant
   */
  resolve(reference: string, from: string | undefined): string | undefined {
    const unversioned = withoutVersion(reference)
    if (isAbsolute(unversioned)) return this.#keys.get(nameOf(unversioned))
    if (!relativePattern.test(unversioned)) return undefined
    const root = from && rootOf(from)
    if (root !== undefined) return this.#keys.get(`${root}/${unversioned}`)
    return this.#stated.get(unversioned)
  }

  /** Whether an entry's `fullUrl` is that of another one too. */
  isDuplicate(fullUrl: string): boolean {
    return this.#twice.has(nameOf(fullUrl))
  }

  /** Whether two entries state the id that a reference names, and become two records: nobody can say which of them is meant. */
  isAmbiguous(reference: string, from: string | undefined): boolean {
    return this.#ambiguous.has(withoutVersion(reference)) && (from === undefined || rootOf(from) === undefined)
  }
}

// Ids of sources are compared, not believed: some have underscores, or are longer than R4 allows.
const relativePattern = /^[A-Z][A-Za-z]{1,63}\/[^\s/?#]+$/
const restfulPattern = /^(https?:\/\/.*\S)\/([A-Z][A-Za-z]{1,63}\/[^\s/?#]+)$/

/** The service root of a RESTful URL of a resource. */
export const rootOf = (url: string): string | undefined => restfulPattern.exec(withoutVersion(url))?.[1]

/** `Type/id` in which a RESTful URL of a resource ends. */
export const endOf = (url: string | undefined): string | undefined =>
  url === undefined ? undefined : restfulPattern.exec(withoutVersion(url))?.[2]

/** A reference without the version that it may name: an entry is meant in the state that the Bundle gives it. */
export const withoutVersion = (reference: string): string => reference.replace(/\/_history\/[A-Za-z0-9\-.]{1,64}$/, '')

/** Whether a reference has a scheme: it names the same thing wherever it stands. */
export const isAbsolute = (reference: string): boolean => /^[A-Za-z][A-Za-z0-9+.-]*:/.test(reference)

/** Whether only a Bundle can say what is meant. */
export const isUrn = (reference: string): boolean => /^urn:(?:uuid|oid):/i.test(reference)

/** UUIDs are compared without case, and the names of URN schemes; URLs to the letter, without the version that none should have (bdl-8). */
function nameOf(fullUrl: string): string {
  if (/^urn:uuid:/i.test(fullUrl)) return fullUrl.toLowerCase()
  return /^urn:oid:/i.test(fullUrl) ? `urn:oid:${fullUrl.slice('urn:oid:'.length)}` : withoutVersion(fullUrl)
}

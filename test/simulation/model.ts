/** A record as its author wrote it. `text` gives the line that must be stored for a version of it. */
export interface ModelRecord {
  readonly type: string
  readonly id: string
  readonly source: string
  readonly text: (version: number, lastUpdated: number) => string
}

/** One change of the store. `written` (milliseconds since 1970) is its time; `record` is missing for a delete. */
export interface ModelEvent {
  readonly type: string
  readonly id: string
  readonly version: number
  readonly written: number
  readonly record: ModelRecord | undefined
}

/** What an export asks for; patients by their ids. */
export interface ModelRequest {
  readonly patients: readonly string[]
  readonly types: readonly string[]
  readonly since?: number
  readonly provenance: 'relevant' | 'latest'
}

/** What an export must give: the stored line of each record, and the references that lead nowhere. Keys are `Type/id`. */
export interface ExpectedExport {
  readonly lines: ReadonlyMap<string, string>
  readonly unresolved: ReadonlySet<string>
}

/** A record at a time. A deleted one keeps what it last said: whose it was. */
interface Entry {
  readonly key: string
  readonly type: string
  readonly version: number
  readonly written: number
  readonly deleted: boolean
  readonly record: ModelRecord
}

const byPatientElement = ['AllergyIntolerance', 'Device', 'Immunization']
const bySubjectElement = [
  'CarePlan',
  'CareTeam',
  'Condition',
  'DiagnosticReport',
  'DocumentReference',
  'Encounter',
  'Goal',
  'MedicationRequest',
  'Observation',
  'Procedure',
]
const ownTypes = ['Patient', ...byPatientElement, ...bySubjectElement]
const referencePattern = /"reference":"([^"]*)"/g

/** The resource that a literal reference names, as `Type/id`. */
const localKey = (reference: string, base: string): string | undefined =>
  /^([A-Za-z]+\/[A-Za-z0-9.-]+)(\/_history\/\d+)?$/.exec(reference.replace(`${base}/`, ''))?.[1]

/**
 * What the store and the exports of one tenant must do, as simply as it can be said: a list of all events, and no index,
 * no owner kept anywhere, no version ever removed.
 */
export class Model {
  readonly #base: string
  readonly #events: ModelEvent[] = []

  /** @param base the tenant's FHIR base: absolute references under it are local */
  constructor(base: string) {
    this.#base = base
  }

  /** Notes an event. They may come in any order: their times and versions count. */
  add(event: ModelEvent): void {
    this.#events.push(event)
  }

  /** Everything that had existed by a time (milliseconds since 1970), deleted records too. */
  #stateAt(time: number): Map<string, Entry> {
    const state = new Map<string, Entry>()
    for (const event of [...this.#events].sort((a, b) => a.version - b.version)) {
      if (event.written > time) continue
      const key = `${event.type}/${event.id}`
      const record = event.record ?? state.get(key)!.record
      const { type, version, written } = event
      state.set(key, { key, type, version, written, deleted: event.record === undefined, record })
    }
    return state
  }

  /** The patients that a record belongs to. */
  #ownersOf(record: ModelRecord, state: ReadonlyMap<string, Entry>): Set<string> {
    if (record.type === 'Patient') return new Set([record.id])
    if (record.type === 'Provenance') return new Set(this.#targetOwners(record, state))
    const resource = JSON.parse(record.source) as Record<string, { reference?: string } | undefined>
    const element = byPatientElement.includes(record.type) ? 'patient' : 'subject'
    const subject = bySubjectElement.concat(byPatientElement).includes(record.type) ? resource[element] : undefined
    const key = localKey(subject?.reference ?? '', this.#base)
    return new Set(key?.startsWith('Patient/') ? [key.slice(8)] : [])
  }

  #targetOwners(record: ModelRecord, state: ReadonlyMap<string, Entry>): string[] {
    return this.#targetsOf(record).flatMap((target) => {
      if (target.startsWith('Patient/')) return [target.slice(8)]
      const entry = state.get(target)
      return entry === undefined ? [] : [...this.#ownersOf(entry.record, state)]
    })
  }

  #targetsOf(record: ModelRecord): string[] {
    const { target = [] } = JSON.parse(record.source) as { target?: { reference: string }[] }
    const keys = target.flatMap(({ reference }) => localKey(reference, this.#base) ?? [])
    return keys.filter((key) => ownTypes.includes(key.split('/')[0]!))
  }

  #referencesOf(record: ModelRecord): string[] {
    const keys = [...record.source.matchAll(referencePattern)].flatMap((match) => localKey(match[1]!, this.#base) ?? [])
    return keys.filter((key) => /^(Location|Organization|Practitioner)\//.test(key))
  }

  /** The exact content of an export whose transactionTime is `time`. */
  expectedExport(request: ModelRequest, time: number): ExpectedExport {
    const state = this.#stateAt(time)
    const live = [...state.values()].filter(({ deleted }) => !deleted)
    const own = live.filter(
      ({ type, written, record }) =>
        ownTypes.includes(type) &&
        request.types.includes(type) &&
        written > (request.since ?? Number.NEGATIVE_INFINITY) &&
        request.patients.some((patient) => this.#ownersOf(record, state).has(patient)),
    )
    const provenances = request.types.includes('Provenance') ? this.#associated(request, live, own) : []
    const wanted = new Set([...own, ...provenances].flatMap(({ record }) => this.#referencesOf(record)))
    const references = [...wanted].filter((key) => request.types.includes(key.split('/')[0]!))
    const isLive = (key: string) => state.get(key)?.deleted === false
    const entries = [...own, ...provenances, ...references.filter(isLive).map((key) => state.get(key)!)]
    return {
      lines: new Map(entries.map(({ key, version, written, record }) => [key, record.text(version, written)])),
      unresolved: new Set(references.filter((key) => !isLive(key))),
    }
  }

  #associated(request: ModelRequest, live: readonly Entry[], exported: readonly Entry[]): Entry[] {
    const all = live.filter(({ type }) => type === 'Provenance')
    const chosen = exported.flatMap(({ key }) => {
      const about = all.filter(({ record }) => this.#targetsOf(record).includes(key))
      return request.provenance === 'latest' ? about.sort(newestFirst).slice(0, 1) : about
    })
    return [...new Set(chosen)]
  }

  /** When the model's tenant was written to; milliseconds since 1970. */
  get times(): readonly number[] {
    return this.#events.map(({ written }) => written)
  }

  /** Gives the owners of a record at a time, in order. */
  ownersAt(time: number): (key: string) => string[] {
    const state = this.#stateAt(time)
    return (key) => [...this.#ownersOf(state.get(key)!.record, state)].sort()
  }
}

const recordedOf = ({ record }: Entry): number =>
  Date.parse((JSON.parse(record.source) as { recorded?: string }).recorded ?? '0000-01-01T00:00:00Z')

/** Greatest `recorded`, then meta.lastUpdated, then id (protocol §3). */
const newestFirst = (a: Entry, b: Entry): number =>
  recordedOf(b) - recordedOf(a) || b.written - a.written || (a.record.id < b.record.id ? 1 : -1)

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
  /** In place of the patients: all patients, or everything. */
  readonly reach?: 'patients' | 'system'
  readonly types: readonly string[]
  readonly since?: number
  readonly until?: number
  readonly deletions?: true
  /** Items of `_elements`. */
  readonly elements?: readonly string[]
  readonly organizedBy?: 'Patient'
  readonly provenance: 'relevant' | 'latest'
  /** What narrows types, as `_typeFilter` does. */
  readonly only?: Readonly<Record<string, (resource: ModelResource) => boolean>>
}

/** A record as a filter sees it. */
export interface ModelResource {
  readonly id: string
  readonly performer: readonly { readonly reference: string }[]
}

interface ModelReference {
  readonly reference?: string
}

/** What says whose a record is. */
interface ModelCompartment {
  readonly subject?: ModelReference
  readonly patient?: ModelReference
  readonly author?: readonly ModelReference[]
  readonly attester?: readonly { readonly party?: ModelReference }[]
  readonly participant?: readonly { readonly actor?: ModelReference }[]
}

/** What an export must give: the stored line of each record, and the references that lead nowhere. Keys are `Type/id`. */
export interface ExpectedExport {
  readonly lines: ReadonlyMap<string, string>
  readonly unresolved: ReadonlySet<string>
}

/** What an export that is organized by patient must give: the keys of each patient's block in order. */
export interface ExpectedBlocks extends ExpectedExport {
  readonly blocks: ReadonlyMap<string, readonly string[]>
}

/**
 * Which deletions an export must tell, and which it may. They differ for Provenances: whose one was when it was deleted depends on what
 * became of its targets in the meantime, which times alone do not say.
 */
export interface ExpectedDeletions {
  readonly certain: ReadonlySet<string>
  readonly possible: ReadonlySet<string>
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
/** Some of the types of which a record may belong to several patients, and how they are named. */
const byCompartment: Readonly<Record<string, (resource: ModelCompartment) => readonly (ModelReference | undefined)[]>> =
  {
    Appointment: ({ participant = [] }) => participant.map(({ actor }) => actor),
    Composition: ({ subject, author = [], attester = [] }) => [
      subject,
      ...author,
      ...attester.map(({ party }) => party),
    ],
    RelatedPerson: ({ patient }) => [patient],
  }
const ownTypes = ['Patient', ...[...byPatientElement, ...bySubjectElement].sort(), ...Object.keys(byCompartment)]
const referencedTypes = ['Location', 'Organization', 'Practitioner']
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
    const resource = JSON.parse(record.source) as ModelCompartment
    const keys = patientsNamed(record.type, resource).map((named) => localKey(named?.reference ?? '', this.#base))
    return new Set(keys.flatMap((key) => (key?.startsWith('Patient/') ? [key.slice(8)] : [])))
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

  /** The exact content of an export whose transactionTime is `time`. `whole`: Provenances come for themselves too. */
  expectedExport(request: ModelRequest, time: number, whole = request.reach === 'system'): ExpectedExport {
    const state = this.#stateAt(time)
    const isLive = (key: string) => state.get(key)?.deleted === false
    const entries = this.#chosen(request, state, whole)
    const wanted = new Set(entries.flatMap(({ record }) => this.#referencesOf(record)))
    const references =
      request.reach === 'system' ? [] : [...wanted].filter((key) => request.types.includes(typeOf(key)))
    return {
      lines: linesOf([...entries, ...references.filter(isLive).map((key) => state.get(key)!)]),
      unresolved: new Set(references.filter((key) => !isLive(key))),
    }
  }

  /**
   * The same, in blocks: for each patient what an export of that patient alone would give, by type, what they have in common and id; then what
   * belongs to several patients, then what is referred to.
   */
  expectedBlocks(request: ModelRequest, time: number): ExpectedBlocks {
    const state = this.#stateAt(time)
    const owners = new Set([...state.values()].flatMap(({ record }) => [...this.#ownersOf(record, state)]))
    const { reach, ...listed } = request
    const patients = reach === undefined ? request.patients : [...owners]
    const lines = new Map<string, string>()
    const unresolved = new Set<string>()
    const blocks = new Map<string, readonly string[]>()
    const groupOf = this.groupAt(time)
    const ownersOf = this.ownersAt(time)
    for (const patient of patients) {
      const placeOf = (key: string) => {
        const { length } = ownersOf(key)
        return `${rankInBlock(typeOf(key), length)} ${length === 1 ? groupOf(key, patient) : ''} ${key}`
      }
      const expected = this.expectedExport({ ...listed, patients: [patient] }, time, reach === 'system')
      for (const [key, line] of expected.lines) lines.set(key, line)
      for (const key of expected.unresolved) unresolved.add(key)
      if (expected.lines.size > 0)
        blocks.set(
          patient,
          [...expected.lines.keys()].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1)),
        )
    }
    return { lines, unresolved, blocks }
  }

  /** The records that an export gives for themselves, with the Provenances that come along. */
  #chosen(request: ModelRequest, state: ReadonlyMap<string, Entry>, whole: boolean): Entry[] {
    const live = [...state.values()].filter(({ deleted }) => !deleted)
    const asked = live.filter(
      ({ type, written, record }) =>
        request.types.includes(type) &&
        written > (request.since ?? Number.NEGATIVE_INFINITY) &&
        written < (request.until ?? Number.POSITIVE_INFINITY) &&
        passes(request, record) &&
        this.#isReached(request, this.#ownersOf(record, state)),
    )
    const own = asked.filter(({ type }) => ownTypes.includes(type))
    const others = asked.filter(({ type }) => request.reach === 'system' && referencedTypes.includes(type))
    if (!request.types.includes('Provenance')) return [...own, ...others]
    const alone = whole || !request.types.some((type) => ownTypes.includes(type))
    const byThemselves =
      alone && request.provenance === 'relevant' ? asked.filter(({ type }) => type === 'Provenance') : []
    return [...new Set([...own, ...others, ...byThemselves, ...this.#associated(request, state, own)])]
  }

  #isReached({ reach, patients }: ModelRequest, owners: ReadonlySet<string>): boolean {
    if (reach === undefined) return patients.some((patient) => owners.has(patient))
    return reach === 'system' || owners.size > 0
  }

  /** What belongs to nobody brings along only Provenances that are nobody's too. */
  #associated(request: ModelRequest, state: ReadonlyMap<string, Entry>, exported: readonly Entry[]): Entry[] {
    const all = [...state.values()].filter(
      ({ type, deleted, record }) => type === 'Provenance' && !deleted && passes(request, record),
    )
    return exported.flatMap(({ key, record: target }) => {
      const nobodys = this.#ownersOf(target, state).size === 0
      const about = all.filter(
        ({ record }) => this.#targetsOf(record).includes(key) && (!nobodys || this.#ownersOf(record, state).size === 0),
      )
      return request.provenance === 'latest' ? about.sort(newestFirst).slice(0, 1) : about
    })
  }

  /**
   * What a record's place among those of its owner and type depends on, but for its id: what it has in common with others, and of Provenances
   * first whether it is the newest of a target.
   */
  groupAt(time: number): (key: string, owner: string) => string {
    const state = this.#stateAt(time)
    const isNewest = this.isNewestAt(time)
    return (key, owner) => {
      const { type, record } = state.get(key)!
      if (type !== 'Provenance') return JSON.stringify((record as { category?: unknown }).category) ?? ''
      const isHere = (target: string) => {
        const found = state.get(target)
        if (found === undefined || found.deleted) return false
        const owners = [...this.#ownersOf(found.record, state)]
        return owner === '' ? owners.length === 0 : owners.includes(owner)
      }
      const types = new Set(
        this.#targetsOf(record)
          .filter(isHere)
          .map((target) => target.split('/')[0]),
      )
      const about = [...types].sort().join(',') || '-'
      return `${isNewest(key, owner) ? 'first' : 'later'} ${about === 'Observation' ? '' : about}`
    }
  }

  /**
   * Whether a Provenance is the newest of one of the records of its owner that it is about, at a time: those of an owner stand before the
   * others.
   */
  isNewestAt(time: number): (key: string, owner: string) => boolean {
    const state = this.#stateAt(time)
    const live = [...state.values()].filter(({ deleted }) => !deleted)
    const newest = new Map<string, Set<string>>()
    for (const target of live) {
      const about = live.filter(
        ({ type, record }) => type === 'Provenance' && this.#targetsOf(record).includes(target.key),
      )
      const owners = [...this.#ownersOf(target.record, state)]
      // What belongs to nobody stands among what belongs to nobody: Provenances that have an owner besides are not there.
      const isThere = ({ record }: (typeof about)[number]) =>
        owners.length > 0 || [...this.#ownersOf(record, state)].length === 0
      const [first] = about.filter(isThere).sort(newestFirst)
      if (first === undefined) continue
      for (const owner of owners.length > 0 ? owners : [''])
        newest.set(owner, (newest.get(owner) ?? new Set()).add(first.key))
    }
    return (key, owner) => newest.get(owner)?.has(key) ?? false
  }

  /** What an export must tell of deletions. */
  expectedDeletions(request: ModelRequest, time: number): ExpectedDeletions {
    const certain = new Set<string>()
    const possible = new Set<string>()
    if (!request.deletions || request.since === undefined) return { certain, possible }
    const state = this.#stateAt(time)
    const types =
      request.reach === 'system' ? [...ownTypes, 'Provenance', ...referencedTypes] : [...ownTypes, 'Provenance']
    for (const { key, type, written, deleted, record } of state.values()) {
      if (!deleted || !types.includes(type) || !request.types.includes(type)) continue
      if (written <= request.since || written >= (request.until ?? Number.POSITIVE_INFINITY)) continue
      if (type !== 'Provenance' && this.#isReached(request, this.#ownersOf(record, state))) certain.add(key)
      if (type !== 'Provenance') continue
      const { always, ever } = this.#ownersOfTargets(record)
      if (this.#isReached(request, always)) certain.add(key)
      if (this.#isReached(request, ever)) possible.add(key)
    }
    return { certain, possible: new Set([...certain, ...possible]) }
  }

  /** The owners that a Provenance has whenever it is there, and those that it may have had at some time. */
  #ownersOfTargets(record: ModelRecord): { always: Set<string>; ever: Set<string> } {
    const targets = this.#targetsOf(record)
    const always = targets.filter((key) => key.startsWith('Patient/')).map((key) => key.slice(8))
    const versions = this.#events.flatMap((event) => event.record ?? [])
    const of = versions.filter(({ type, id }) => targets.includes(`${type}/${id}`))
    return {
      always: new Set(always),
      ever: new Set([...always, ...of.flatMap((one) => [...this.#ownersOf(one, new Map())])]),
    }
  }

  /** Whether a record exists at a time. */
  isLiveAt(time: number): (key: string) => boolean {
    const state = this.#stateAt(time)
    return (key) => state.get(key)?.deleted === false
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

/** The references by which a record belongs to patients. */
function patientsNamed(type: string, resource: ModelCompartment): readonly (ModelReference | undefined)[] {
  if (byPatientElement.includes(type)) return [resource.patient]
  if (bySubjectElement.includes(type)) return [resource.subject]
  return byCompartment[type]?.(resource) ?? []
}

const passes = ({ only }: ModelRequest, { type, source }: ModelRecord): boolean =>
  only?.[type]?.(JSON.parse(source) as ModelResource) ?? true

const typeOf = (key: string): string => key.split('/')[0]!

const linesOf = (entries: readonly Entry[]): Map<string, string> =>
  new Map(entries.map(({ key, version, written, record }) => [key, record.text(version, written)]))

const rankedTypes = [...ownTypes, 'Provenance', ...referencedTypes]

/** Patient first, then the clinical types, then the others, then Provenance: what belongs to one patient, to several, to nobody. */
const rankInBlock = (type: string, owners: number): string =>
  `${['2', '0'][owners] ?? '1'} ${String(rankedTypes.indexOf(type)).padStart(2, '0')}`

const recordedOf = ({ record }: Entry): number =>
  Date.parse((JSON.parse(record.source) as { recorded?: string }).recorded ?? '0000-01-01T00:00:00Z')

/** Greatest `recorded`, then meta.lastUpdated, then id (protocol §3). */
const newestFirst = (a: Entry, b: Entry): number =>
  recordedOf(b) - recordedOf(a) || b.written - a.written || (a.record.id < b.record.id ? 1 : -1)

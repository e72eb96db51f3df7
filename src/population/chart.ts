import { dayMs, hourMs, instant, localInstant, minuteMs, populationEnd } from './calendar.ts'
import { coding, reference, terminology } from './datatypes.ts'
import type { Medication } from './diagnosis.ts'
import { type JsonObject, Raw, writeJson, writeMembers } from './json.ts'
import type { Network, Organization, Practitioner, Site } from './network.ts'
import { invent, type Person } from './person.ts'
import { Random } from './random.ts'
import type { PopulationRecord } from './record.ts'
import { assertRecordNumber, recordId } from './record-ids.ts'
import type { Visit } from './resources/visit.ts'
import type { Seat } from './seat.ts'

/** Who wrote a record, and when: what its `meta` and its Provenances tell. */
export interface Authorship {
  readonly at: number
  readonly by: Practitioner
  readonly organization: Organization
  /** Fixes the last change instead of drawing it. */
  readonly changed?: number
}

/** A record of the chart as its Provenances see it. */
export interface Entry {
  readonly reference: string
  readonly created: number
  readonly changed: number
  readonly versions: number
  readonly by: Practitioner
  readonly organization: Organization
}

/** A MedicationRequest by its reference. */
interface Prescription {
  readonly request: string
  readonly medication: Medication
  readonly visit: Visit
}

/** A Binary that an Attachment leads to, and that only a population of all types has. */
interface UnwrittenBinary {
  readonly id: string
  readonly contentType: string
  readonly visit: Visit
}

const patientStream = 0x70617469

/** One patient's records while they are being written: identity, numbering, and the lines not handed on yet. */
export class Chart {
  readonly seat: Seat
  readonly shared: Network
  readonly random: Random
  readonly person: Person
  /** Where the patient usually goes, and to whom. */
  readonly home: Site
  readonly doctor: Practitioner
  readonly subject: Raw
  readonly subjectShown: Raw
  readonly entries: Entry[] = []
  /** What records of other types are made of, where these are wanted. */
  readonly visits: Visit[] = []
  readonly prescriptions: Prescription[] = []
  readonly unwritten: UnwrittenBinary[] = []
  #pending: PopulationRecord[] = []
  #records = 0
  #observations = 0

  constructor(shared: Network, seat: Seat, seed: number) {
    this.seat = seat
    this.shared = shared
    this.random = new Random(seed, patientStream, seat.index)
    this.home = this.random.pick(shared.sites)
    this.doctor = this.random.pick(this.home.practitioners)
    this.person = invent(this.random, seat, this.home.town)
    this.subject = reference(`Patient/${seat.id}`)
    this.subjectShown = reference(`Patient/${seat.id}`, this.person.display)
  }

  get observations(): number {
    return this.#observations
  }

  /** The id of a record still to be written: the next free one. */
  nextId(): string {
    const n = ++this.#records
    if (this.seat.kind !== 'heavy') assertRecordNumber(n)
    return recordId(this.seat.index, n)
  }

  /** The probability for this patient: the page's patients have at least one of everything. */
  chance(probability: number): boolean {
    return this.random.chance(probability) || this.seat.kind === 'page'
  }

  /** Writes a record that Provenances will describe. Returns its reference, `Type/id`. */
  add(type: string, id: string, written: Authorship, profiles: Raw, body: JsonObject): string {
    const entry = this.#entry(`${type}/${id}`, written)
    this.entries.push(entry)
    this.put(type, id, this.#meta(entry, profiles), body)
    return entry.reference
  }

  /** Writes a record without any Provenance of its own. */
  put(type: string, id: string, meta: Raw, body: JsonObject): void {
    if (type === 'Observation') this.#observations += 1
    this.#pending.push({ type, id, line: this.#line(type, id, meta, writeMembers(body)) })
  }

  /** The lines written since the last call. */
  drain(): readonly PopulationRecord[] {
    const drained = this.#pending
    this.#pending = []
    return drained
  }

  #entry(target: string, { at, by, organization, changed }: Authorship): Entry {
    const { random } = this
    const draw = random.next()
    const versions = draw < 0.84 ? 1 : draw < 0.96 ? 2 : random.integer(3, 5)
    const created = Math.min(at + minuteMs + random.next() ** 4 * 36 * hourMs, populationEnd)
    const revised = versions === 1 ? created : created + (versions - 1) * (hourMs + random.next() ** 2 * 300 * dayMs)
    const last = Math.min(changed ?? revised, populationEnd)
    return { reference: target, created: Math.min(created, last), changed: last, versions, by, organization }
  }

  #meta({ changed, versions }: Entry, profiles: Raw): Raw {
    const { random, person } = this
    const when = random.chance(0.01) ? localInstant(changed, person.town.offsetHours) : instant(changed)
    const source = random.chance(0.06) ? `,"source":"urn:oid:2.16.840.1.113883.3.13.9#${this.#records}"` : ''
    const security = random.chance(0.03) ? `,"security":[${restricted.text}]` : ''
    const head = `"versionId":"${versions}","lastUpdated":"${when}"${source}`
    return new Raw(`{${head},"profile":${profiles.text}${security}}`)
  }

  /** Most lines begin with the type and the id. Any order of members and any blanks between them are just as legal. */
  #line(type: string, id: string, meta: Raw, members: string): string {
    const form = this.random.next()
    if (form < 0.02) return `{${members},"meta":${meta.text},"id":"${id}","resourceType":"${type}"}`
    if (form < 0.03) return `{ "resourceType" : "${type}" , "id" : "${id}" , "meta" : ${meta.text} , ${members} }`
    if (form < 0.034 && this.seat.kind !== 'page') return `{"resourceType":"${type}","id":"${id}",${members}}`
    return `{"resourceType":"${type}","id":"${id}","meta":${meta.text},${members}}`
  }
}

const restricted = new Raw(writeJson(coding(`${terminology}/v3-Confidentiality`, 'R', 'restricted')))

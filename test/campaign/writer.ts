import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../../src/population/random.ts'
import type { Answer, Caller } from './caller.ts'
import { type Attempt, type Ledger, markedRecord, markerSystem, type Outcome } from './ledger.ts'

export const patientIds = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5']
const practitioners = ['a0', 'a1']
const ownIds = ['0', '1', '2']
const clinicalTypes = ['Condition', 'Observation', 'Immunization']
/** After a request that found nobody. */
const backOffMs = 150

/** One client that writes records of its own, one request after the other, and remembers what it was told. */
export class Writer {
  readonly #name: string
  readonly #random: Random
  readonly #caller: Caller
  readonly #ledger: Ledger
  /** The version that a record of its own is known to have; undefined after an outcome that is unknown. */
  readonly #known = new Map<string, { version: number; deleted: boolean } | undefined>()
  #writes = 0
  readonly complaints: string[] = []

  constructor(name: string, random: Random, caller: Caller, ledger: Ledger) {
    this.#name = name
    this.#random = random
    this.#caller = caller
    this.#ledger = ledger
  }

  async writeWhile(goOn: () => boolean): Promise<void> {
    while (goOn()) await this.#step()
  }

  /** Writes all patients and practitioners, whatever it takes: exports name them. */
  async settle(deadline: number): Promise<void> {
    for (const [type, ids] of [
      ['Patient', patientIds],
      ['Practitioner', practitioners],
    ] as const) {
      for (const id of ids) {
        const attempt = this.#attempt(type, id, '')
        const path = `/${type}/${id}`
        note(attempt, await this.#caller.insist({ method: 'PUT', path, body: attempt.text(id).source }, deadline))
      }
    }
  }

  async #step(): Promise<void> {
    const roll = this.#random.next()
    if (roll < 0.4) await this.#put()
    else if (roll < 0.5) await this.#delete()
    else if (roll < 0.65) await this.#post()
    else if (roll < 0.75) await this.#postOnce()
    else if (roll < 0.9) await this.#transact()
    else await this.#readBack()
  }

  #attempt(type: string, id: string | undefined, members: string, bundle?: string): Attempt {
    const marker = `${this.#name}-${++this.#writes}`
    return this.#ledger.add({
      marker,
      type,
      id,
      text: (of) => markedRecord(type, of, marker, members),
      outcome: 'unknown',
      ...(bundle === undefined ? {} : { bundle }),
    })
  }

  #ownRecord(): { type: string; id: string; members: string } {
    const type = this.#random.pick([...clinicalTypes, 'Provenance'])
    const id = `${this.#name}-${this.#random.pick(ownIds)}`
    return { type, id, members: this.#membersOf(type) }
  }

  #membersOf(type: string): string {
    const patient = `{"reference":"Patient/${this.#random.pick(patientIds)}"}`
    if (type === 'Provenance') {
      const about = `${this.#random.pick(clinicalTypes)}/${this.#name}-${this.#random.pick(ownIds)}`
      return `,"target":[{"reference":"${about}"},${patient}]`
    }
    const performer = `,"performer":[{"reference":"Practitioner/${this.#random.pick([...practitioners, 'missing'])}"}]`
    return `,"${type === 'Immunization' ? 'patient' : 'subject'}":${patient}${performer}`
  }

  async #put(): Promise<void> {
    const { type, id, members } = this.#ownRecord()
    const attempt = this.#attempt(type, id, members)
    const path = `/${type}/${id}`
    const answer = await this.#ask({ method: 'PUT', path, body: attempt.text(id).source })
    note(attempt, answer)
    this.#learn(attempt)
  }

  async #delete(): Promise<void> {
    const { type, id } = this.#ownRecord()
    const key = `${type}/${id}`
    const known = this.#known.get(key)
    const version = known && !known.deleted ? known.version + 1 : undefined
    const deletion = { key, outcome: 'unknown' as Outcome, version }
    this.#ledger.deletions.push(deletion)
    deletion.outcome = outcomeOf(await this.#ask({ method: 'DELETE', path: `/${key}` }))
    if (deletion.outcome === 'refused') return
    const deleted = deletion.outcome === 'acknowledged' && version !== undefined
    this.#known.set(key, deleted ? { version, deleted: true } : undefined)
  }

  async #post(): Promise<void> {
    const type = this.#random.pick(clinicalTypes)
    const attempt = this.#attempt(type, undefined, this.#membersOf(type))
    note(attempt, await this.#ask({ method: 'POST', path: `/${type}`, body: withoutId(attempt) }))
  }

  /** With a condition a create may be repeated until its outcome is known: one record comes of it. */
  async #postOnce(): Promise<void> {
    const type = this.#random.pick(clinicalTypes)
    const attempt = this.#attempt(type, undefined, this.#membersOf(type))
    const headers = { 'if-none-exist': `identifier=${markerSystem}|${attempt.marker}` }
    for (let tries = 0; tries < 20 && attempt.outcome === 'unknown'; tries++) {
      note(attempt, await this.#ask({ method: 'POST', path: `/${type}`, body: withoutId(attempt), headers }))
    }
  }

  async #transact(): Promise<void> {
    const bundle = `${this.#name}-bundle-${this.#writes}`
    const wanted = new Map([1, 2, 3].map(() => this.#ownRecord()).map((each) => [`${each.type}/${each.id}`, each]))
    const puts = [...wanted.values()].map(({ type, id, members }) => this.#attempt(type, id, members, bundle))
    const post = this.#attempt('Observation', undefined, this.#membersOf('Observation'), bundle)
    const entries = [...puts, post].map((each) =>
      each.id === undefined
        ? `{"resource":${withoutId(each)},"request":{"method":"POST","url":"${each.type}"}}`
        : `{"resource":${each.text(each.id).source},"request":{"method":"PUT","url":"${each.type}/${each.id}"}}`,
    )
    const body = `{"resourceType":"Bundle","type":"transaction","entry":[${entries}]}`
    const answer = await this.#ask({ method: 'POST', path: '/', body })
    const told = answer?.status === 200 ? (JSON.parse(answer.text) as BundleAnswer).entry : []
    for (const [index, each] of [...puts, post].entries()) {
      each.outcome = outcomeOf(answer)
      const location = told[index]?.response.location
      if (location) each.answered = locationOf(location)
      this.#learn(each)
    }
  }

  /** Who knows a version of his own record reads that version. */
  async #readBack(): Promise<void> {
    const { type, id } = this.#ownRecord()
    const known = this.#known.get(`${type}/${id}`)
    const answer = await this.#ask({ method: 'GET', path: `/${type}/${id}` })
    if (known === undefined || answer === undefined || answer.status >= 429) return
    const read = answer.headers.get('etag')
    const right = known.deleted ? answer.status === 410 || answer.status === 404 : read === `W/"${known.version}"`
    if (!right)
      this.complaints.push(`${type}/${id} is read as ${answer.status} ${read}, but is version ${known.version}`)
  }

  #learn({ type, id, outcome, answered }: Attempt): void {
    if (id === undefined || outcome === 'refused') return
    this.#known.set(`${type}/${id}`, answered && { version: answered.version, deleted: false })
  }

  async #ask(request: Parameters<Caller['send']>[0]): Promise<Answer | undefined> {
    const answer = await this.#caller.send(request)
    if (answer === undefined || answer.status >= 429) await pause(backOffMs)
    return answer
  }
}

interface BundleAnswer {
  readonly entry: readonly { readonly response: { readonly location?: string } }[]
}

const withoutId = ({ text, type }: Attempt): string =>
  text('x').source.replace(`{"resourceType":"${type}","id":"x"`, `{"resourceType":"${type}"`)

/** What is refused has not taken effect; 503 and no answer leave it open. */
const outcomeOf = (answer: Answer | undefined): Outcome =>
  answer === undefined || answer.status >= 500 ? 'unknown' : answer.status < 300 ? 'acknowledged' : 'refused'

function note(attempt: Attempt, answer: Answer | undefined): void {
  attempt.outcome = outcomeOf(answer)
  const location = answer?.headers.get('location')
  if (attempt.outcome !== 'acknowledged' || !answer) return
  const version = Number(/"(\d+)"/.exec(answer.headers.get('etag') ?? '')?.[1])
  const id = attempt.id ?? locationOf(location ?? '')?.id ?? ''
  attempt.answered = { id, version, text: answer.text }
}

/** What `[base]/[type]/[id]/_history/[version]` names. */
function locationOf(location: string): { id: string; version: number } {
  const [, id = '', version = ''] = /\/([^/]+)\/_history\/(\d+)$/.exec(location) ?? []
  return { id, version: Number(version) }
}

import { setTimeout as pause } from 'node:timers/promises'
import { parseInstant } from '../../src/fhir/instant.ts'
import type { Random } from '../../src/population/random.ts'
import type { ModelRequest } from '../simulation/model.ts'
import type { Caller } from './caller.ts'
import { patientIds } from './writer.ts'

const pollMs = 150
const cancelChance = 0.15
const path = '/Patient/$export'
const types = ['Patient', 'Condition', 'Immunization', 'Observation', 'Practitioner', 'Provenance']

/** What an export gave. `time` is its transactionTime, milliseconds since 1970. */
export interface FinishedExport {
  readonly request: ModelRequest
  readonly time: number
  readonly job: string
  readonly lines: readonly string[]
  readonly errors: readonly string[]
}

interface ManifestFile {
  readonly url: string
  readonly count: number
}

/** One client that exports, downloads and deletes, one job after the other. */
export class Exporter {
  readonly #random: Random
  readonly #caller: Caller
  readonly finished: FinishedExport[] = []
  readonly complaints: string[] = []

  constructor(random: Random, caller: Caller) {
    this.#random = random
    this.#caller = caller
  }

  async exportWhile(goOn: () => boolean, deadline: number): Promise<void> {
    do {
      await this.exportOnce(deadline, this.#random.chance(cancelChance))
    } while (goOn())
  }

  /** @param cancelled the job is deleted before it has ended, or in the moment in which it does */
  async exportOnce(deadline: number, cancelled = false): Promise<void> {
    const patients = cancelled ? patientIds : patientIds.filter(() => this.#random.chance(0.7))
    const request: ModelRequest = { patients: patients.length > 0 ? patients : ['p0'], types, provenance: 'relevant' }
    const job = await this.#kickOff(request, deadline)
    if (cancelled) await pause(this.#random.integer(0, 400))
    else await this.#collect(request, job, deadline)
    const { status } = await this.#caller.insist({ method: 'DELETE', path: job }, deadline)
    // 404: the answer before was lost, though it had taken effect.
    if (status !== 202 && status !== 404) this.complaints.push(`a job was deleted with ${status}`)
  }

  /** Asks until a job is there: one that an answer which never came has made is named by the refusal of the next (S-5). */
  async #kickOff({ patients }: ModelRequest, deadline: number): Promise<string> {
    const parameter = [
      ...patients.map((id) => ({ name: 'patient', valueReference: { reference: `Patient/${id}` } })),
      { name: '_type', valueString: types.join(',') },
      { name: 'includeAssociatedData', valueCode: 'RelevantProvenanceResources' },
    ]
    const body = JSON.stringify({ resourceType: 'Parameters', parameter })
    const headers = { prefer: 'respond-async' }
    for (;;) {
      const answer = await this.#caller.send({ method: 'POST', path, body, headers })
      if (answer?.status === 202) return answer.headers.get('content-location')!
      const running = answer?.status === 429 ? /Running: ([^"\s]+)/.exec(answer.text)?.[1] : undefined
      if (running) return running
      if (answer && answer.status < 429) throw new Error(`a kick-off was refused: ${answer.status} ${answer.text}`)
      if (performance.now() > deadline) throw new Error(`no kick-off in time: ${answer?.status} ${answer?.text}`)
      await pause(pollMs)
    }
  }

  async #collect(request: ModelRequest, job: string, deadline: number): Promise<void> {
    for (;;) {
      const { status, text } = await this.#caller.insist({ method: 'GET', path: job }, deadline)
      if (status === 200) return this.#download(request, job, text, deadline)
      if (status !== 202) throw new Error(`the job ${job} is ${status}: ${text.slice(0, 500)}`)
      if (performance.now() > deadline) throw new Error(`stuck: the job ${job} does not end: ${text.slice(0, 300)}`)
      await pause(pollMs)
    }
  }

  async #download(request: ModelRequest, job: string, manifest: string, deadline: number): Promise<void> {
    const { transactionTime, output, error } = JSON.parse(manifest) as {
      transactionTime: string
      output: ManifestFile[]
      error: ManifestFile[]
    }
    const linesOf = async (files: readonly ManifestFile[]) => {
      const lines: string[] = []
      for (const { url, count } of files) {
        const headers = { accept: 'application/fhir+ndjson' }
        const { status, text } = await this.#caller.insist({ method: 'GET', path: url, headers }, deadline)
        if (status !== 200) throw new Error(`a file is ${status}: ${text.slice(0, 300)}`)
        const found = text.split('\n').slice(0, -1)
        if (found.length !== count) this.complaints.push(`a file of ${count} lines has ${found.length}`)
        lines.push(...found)
      }
      return lines
    }
    const time = parseInstant(transactionTime)!
    this.finished.push({ request, time, job, lines: await linesOf(output), errors: await linesOf(error) })
  }
}

import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestServer } from '../server.ts'

/** An export must have ended by then, whatever was killed. */
const jobMsMax = 300_000
const untilMsMax = 180_000
const pollMs = 20

interface ManifestFile {
  readonly type: string
  readonly url: string
  readonly count: number
}

/** The manifest as it came. */
export interface FinishedExport {
  readonly output: readonly ManifestFile[]
  readonly error: readonly ManifestFile[]
}

/** A client that does not mind when the server or its database is away for a moment: it asks again. */
export class PatientClient {
  readonly #server: TestServer
  readonly #tenant: string
  readonly #token: string

  constructor(server: TestServer, tenant: string, token: string) {
    this.#server = server
    this.#tenant = tenant
    this.#token = token
  }

  /** Kicks off once. @returns the answer's status and the status URL of the job */
  async kickOff(patients: readonly string[]): Promise<{ status: number; job: string }> {
    const parameter = patients.map((id) => ({ name: 'patient', valueReference: { reference: `Patient/${id}` } }))
    const response = await fetch(`${this.#server.base(this.#tenant)}/Patient/$export`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.#token}`,
        accept: 'application/fhir+json',
        'content-type': 'application/fhir+json',
        prefer: 'respond-async',
      },
      body: JSON.stringify({ resourceType: 'Parameters', parameter }),
    })
    await response.arrayBuffer()
    return { status: response.status, job: response.headers.get('content-location') ?? '' }
  }

  /** Polls until the job is complete. An answer that says it failed is a failure of the test. */
  async finished(job: string): Promise<FinishedExport> {
    const response = await this.#insist(job, (status) => status !== 202)
    const body = await response.text()
    assert.equal(response.status, 200, body)
    return JSON.parse(body) as FinishedExport
  }

  /** The lines of a file. */
  async lines({ url }: ManifestFile): Promise<string[]> {
    const response = await this.#insist(url, () => true)
    assert.equal(response.status, 200)
    const text = await response.text()
    assert.ok(text.endsWith('\n'))
    return text.slice(0, -1).split('\n')
  }

  /** Deletes a job or asks for it: the status of the answer, once it is not that it asks too often (T-169). */
  async status(method: 'GET' | 'DELETE', job: string): Promise<number> {
    for (;;) {
      const response = await fetch(job, { method, headers: { authorization: `Bearer ${this.#token}` } })
      await response.arrayBuffer()
      if (response.status !== 429) return response.status
      await sleep(Number(response.headers.get('retry-after')) * 1_000)
    }
  }

  /** Asks until there is an answer that counts: none of a server or database that is just away, nor that it asks too often (T-169). */
  async #insist(url: string, counts: (status: number) => boolean): Promise<Response> {
    const deadline = Date.now() + jobMsMax
    for (let last = ''; ; await sleep(pollMs)) {
      assert.ok(Date.now() < deadline, `${url} is not done in time: ${last}${this.#server.log.slice(-3_000)}`)
      const response = await fetch(url, { headers: { authorization: `Bearer ${this.#token}` } }).catch(() => undefined)
      if (response === undefined) continue
      if (response.status < 500 && response.status !== 429 && counts(response.status)) return response
      last = await response.text()
      assert.ok(!last.includes('The export failed'), last)
    }
  }
}

/** The id of a job by its status URL. */
export const idOf = (job: string): string => job.split('/').at(-1)!

/** The files that a job has in the server's directory. */
export async function filesOf(server: TestServer, job: string): Promise<string[]> {
  const folder = join(await server.filesFolder(), idOf(job))
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}

/** Polls until a condition holds. */
export async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + untilMsMax
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `waited in vain until ${what}`)
    await sleep(10)
  }
}

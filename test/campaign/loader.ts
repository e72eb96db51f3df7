import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Attempt, type Ledger, markedRecord } from './ledger.ts'
import { program } from './serve-process.ts'
import { patientIds } from './writer.ts'

const records = 600

/** A `load` of records that nobody else writes, which may be killed and is repeated until it ends well. */
export class Loader {
  readonly #flags: readonly string[]
  readonly #file: string
  readonly #attempts: readonly Attempt[]
  #child: ChildProcess | undefined
  runs = 0

  private constructor(flags: readonly string[], file: string, attempts: readonly Attempt[]) {
    this.#flags = flags
    this.#file = file
    this.#attempts = attempts
  }

  static async prepare(storeFlags: readonly string[], tenant: string, folder: string, ledger: Ledger): Promise<Loader> {
    const attempts = Array.from({ length: records }, (_, index) => {
      const id = `load-${index}`
      const marker = `${id}-0`
      const subject = `,"subject":{"reference":"Patient/${patientIds[index % patientIds.length]}"}`
      const text = (of: string) => markedRecord('Observation', of, marker, subject)
      return ledger.add({ marker, type: 'Observation', id, text, outcome: 'unknown' })
    })
    const file = join(folder, `${tenant}.ndjson`)
    await writeFile(file, `${attempts.map(({ id, text }) => text(id!).source).join('\n')}\n`)
    return new Loader([...storeFlags, '--tenant', tenant], file, attempts)
  }

  /** @returns whether it ended well: then everything is there in its first version, however often it was begun */
  async run(): Promise<boolean> {
    this.runs += 1
    this.#child = spawn(process.execPath, [program, 'load', ...this.#flags, this.#file, '--json'], { stdio: 'ignore' })
    const [code] = await once(this.#child, 'exit')
    this.#child = undefined
    if (code !== 0) return false
    for (const attempt of this.#attempts) {
      attempt.outcome = 'acknowledged'
      attempt.answered = { id: attempt.id!, version: 1 }
    }
    return true
  }

  kill(): void {
    this.#child?.kill('SIGKILL')
  }
}

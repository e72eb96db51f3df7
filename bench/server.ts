import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { Failure } from '../src/failure.ts'
import { millrace } from './program.ts'

/** The end of what a server said before it died, in characters. */
const saidCharsMax = 2_000

/** The server under measure: a process of its own, as an operator starts it. */
export class BenchServer {
  readonly #environment: NodeJS.ProcessEnv
  readonly #filesDirectory: string
  readonly #rateLimits: string | undefined
  #process: ChildProcess | undefined
  #url = ''

  /** @param rateLimits the flag of the program; its defaults when undefined */
  constructor(environment: NodeJS.ProcessEnv, filesDirectory: string, rateLimits: string | undefined) {
    this.#environment = environment
    this.#rateLimits = rateLimits
    this.#filesDirectory = filesDirectory
  }

  /** Under which URL it is reached, `http://127.0.0.1:port`. */
  get url(): string {
    return this.#url
  }

  /** The process that runs. */
  get pid(): number {
    return this.#process!.pid!
  }

  /** Starts it, on the port it had before if it ran before. Resolves when it takes requests. */
  async start(): Promise<void> {
    const port = this.#url === '' ? '0' : new URL(this.#url).port
    const words = [
      'serve',
      '--host',
      '127.0.0.1',
      '--port',
      port,
      '--files',
      this.#filesDirectory,
      ...(this.#rateLimits === undefined ? [] : ['--rate-limits', this.#rateLimits]),
    ]
    const child = spawn(millrace, words, { env: this.#environment, stdio: ['ignore', 'ignore', 'pipe'] })
    this.#process = child
    this.#url = await new Promise((resolve, reject) => {
      let said = ''
      child.stderr.on('data', (chunk) => {
        said = `${said}${chunk}`.slice(-saidCharsMax)
        const match = /Millrace serves (\S+) /.exec(said)
        if (match) resolve(match[1]!)
      })
      child.once('error', reject)
      child.once('exit', (code) =>
        reject(new Failure(`The server ended with ${code}: ${said.trim()}`, 'Mend what it says.')),
      )
    })
  }

  async stop(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await gone
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** The memory that the process has now, in MB; undefined where the system does not tell. */
  residentMegabytes(): Promise<number | undefined> {
    return this.#megabytes('VmRSS')
  }

  /** The most memory that the process has held at once since its start, in MB; undefined where the system does not tell. */
  peakMegabytes(): Promise<number | undefined> {
    return this.#megabytes('VmHWM')
  }

  async #megabytes(field: 'VmRSS' | 'VmHWM'): Promise<number | undefined> {
    const status = await readFile(`/proc/${this.#process?.pid}/status`, 'utf8').catch(() => '')
    const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
    return kibibytes === undefined ? undefined : (Number(kibibytes) * 1024) / 1_000_000
  }
}

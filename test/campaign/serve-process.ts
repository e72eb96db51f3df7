import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { endsWithUs } from './processes.ts'

/** The program of Millrace. */
export const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

const logCharsMax = 20_000

/** One `serve`, always on the same port, that is killed and started again. */
export class ServeProcess {
  readonly url: string
  readonly #flags: readonly string[]
  #child: ChildProcess | undefined
  #meant = false
  #text = ''
  /** What it did of its own accord: an end that nobody asked for, with what it said last. */
  readonly ends: string[] = []

  /** Lines of its log about requests that failed for no reason that a client may know. */
  readonly failures: string[] = []

  constructor(port: number, flags: readonly string[]) {
    this.url = `http://127.0.0.1:${port}`
    this.#flags = [
      '--port',
      String(port),
      '--workers',
      '1',
      '--rate-limits',
      'client=off,address=off,poll=off',
      ...flags,
    ]
  }

  /** Starts it unless it runs. Resolves when it takes requests, or has ended. */
  async start(): Promise<void> {
    if (this.#child) return
    const child = spawn(process.execPath, [program, 'serve', ...this.#flags], { stdio: ['ignore', 'pipe', 'pipe'] })
    endsWithUs(child)
    this.#child = child
    this.#meant = false
    const serving = Promise.withResolvers<void>()
    const note = (chunk: Buffer) => {
      this.#text = (this.#text + chunk).slice(-logCharsMax)
    }
    let said = ''
    child.stdout.on('data', note)
    createInterface(child.stdout).on('line', (line) => {
      if (line.includes('"request failed"')) this.failures.push(line)
    })
    child.stderr.on('data', (chunk) => {
      note(chunk)
      said += chunk
      if (said.includes('Millrace serves')) serving.resolve()
    })
    child.once('exit', (code, signal) => {
      if (this.#child === child) this.#child = undefined
      if (!this.#meant) this.ends.push(`the server ended with ${code ?? signal}: ${said.slice(-500)}`)
      serving.resolve()
    })
    await serving.promise
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** The last of what it wrote and logged. */
  get log(): string {
    return this.#text
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (!child) return
    this.#meant = true
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal)
  }
}

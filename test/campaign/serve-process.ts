import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { endsWithUs } from './processes.ts'

/** The program of Millrace. */
export const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

const startMsMax = 180_000
const restartMs = 500

/** One `serve`, always on the same port, that is killed and started again. */
export class ServeProcess {
  readonly url: string
  readonly #flags: readonly string[]
  #child: ChildProcess | undefined
  #meant = false
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

  /** Starts it unless it runs, again when it found no database, as whoever looks after it does. Resolves when it takes requests. */
  async start(): Promise<void> {
    const deadline = performance.now() + startMsMax
    while (!this.#child && (await this.#startOnce()) === 'no database' && performance.now() < deadline) {
      await pause(restartMs)
    }
  }

  #startOnce(): Promise<'serves' | 'ended' | 'no database'> {
    const child = spawn(process.execPath, [program, 'serve', ...this.#flags], { stdio: ['ignore', 'pipe', 'pipe'] })
    endsWithUs(child)
    this.#child = child
    this.#meant = false
    createInterface(child.stdout).on('line', (line) => {
      if (line.includes('"request failed"')) this.failures.push(line)
    })
    return new Promise((resolve) => {
      let said = ''
      child.stderr.on('data', (chunk) => {
        said += chunk
        if (said.includes('Millrace serves')) resolve('serves')
      })
      child.once('exit', (code, signal) => {
        if (this.#child === child) this.#child = undefined
        const refused = !said.includes('Millrace serves') && /^millrace: The database at .* cannot be used/m.test(said)
        if (!this.#meant && !refused) this.ends.push(`the server ended with ${code ?? signal}: ${said.slice(-500)}`)
        resolve(refused ? 'no database' : 'ended')
      })
    })
  }

  get pid(): number | undefined {
    return this.#child?.pid
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

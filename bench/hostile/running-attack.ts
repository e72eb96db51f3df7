import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { AttackData } from './attack-thread.ts'
import type { Cost } from './attacker.ts'
import type { Attack } from './attacks.ts'
import type { Ground } from './ground.ts'

/** An attack that goes on, in a thread of its own: who measures must not wait for it. */
export class RunningAttack {
  readonly #worker: Worker

  private constructor(worker: Worker) {
    this.#worker = worker
  }

  static async start({ name }: Pick<Attack, 'name'>, { server, hostile, dataset }: Ground): Promise<RunningAttack> {
    const workerData: AttackData = { name, url: server.url, clients: hostile, patients: dataset.patients }
    const worker = new Worker(new URL('./attack-thread.ts', import.meta.url), { workerData })
    await once(worker, 'message')
    return new RunningAttack(worker)
  }

  /** Ends it. @returns what it has cost */
  async stop(): Promise<Cost> {
    const told = once(this.#worker, 'message')
    this.#worker.postMessage('stop')
    const [cost] = (await told) as [Cost]
    await this.#worker.terminate()
    return cost
  }
}

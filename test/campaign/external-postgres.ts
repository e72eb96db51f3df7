import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { findBinaries } from '../../src/database/embedded/binaries.ts'
import { createCluster } from '../../src/database/embedded/cluster.ts'
import { commandEnvironment } from '../../src/database/embedded/command-environment.ts'
import { prepareDataDirectory } from '../../src/database/embedded/data-directory.ts'
import { chooseIdentity, giveToIdentity, spawnIdentity } from '../../src/database/embedded/identity.ts'
import { freePort } from './free-port.ts'
import { endsWithUs, processesBelow, signalAll } from './processes.ts'

const pollMs = 50
const startMsMax = 180_000

/** A PostgreSQL that listens on a port, from the embedded one's programs: for Millrace one that somebody else runs. */
export class ExternalPostgres {
  readonly directory: string
  readonly port: number
  #process: ChildProcess | undefined
  #settings: readonly string[] = []

  private constructor(directory: string, port: number) {
    this.directory = directory
    this.port = port
  }

  /** Makes an empty cluster in a directory. It does not run yet. */
  static async create(directory: string): Promise<ExternalPostgres> {
    const server = new ExternalPostgres(directory, await freePort())
    const place = prepareDataDirectory(directory)
    await createCluster(place, findBinaries(), chooseIdentity(findBinaries(), place))
    return server
  }

  /** A copy of a cluster that does not run, which follows it as its standby. */
  static async standbyOf(primary: ExternalPostgres, directory: string): Promise<ExternalPostgres> {
    const server = new ExternalPostgres(directory, await freePort())
    const place = prepareDataDirectory(directory)
    cpSync(join(primary.directory, 'postgres'), place.cluster, { recursive: true, preserveTimestamps: true })
    chmodSync(place.cluster, 0o700)
    writeFileSync(join(place.cluster, 'standby.signal'), '')
    giveToIdentity(chooseIdentity(findBinaries(), place), place.cluster)
    server.#settings = [`primary_conninfo=host=127.0.0.1 port=${primary.port} user=millrace`]
    return server
  }

  get pid(): number {
    return this.#process!.pid!
  }

  /** Starts it, as often as it takes until it answers: processes of one that was killed may still hold its memory. */
  async start(settings: readonly string[] = this.#settings): Promise<void> {
    this.#settings = settings
    const deadline = Date.now() + startMsMax
    for (;;) {
      this.#spawn()
      while (this.#runs && !(await this.#answers())) await pause(pollMs)
      if (this.#runs) return
      if (Date.now() > deadline) throw new Error(`PostgreSQL in ${this.directory} does not start`)
      await pause(pollMs)
    }
  }

  /** Starts it again if it was killed, which may not have been noticed yet; else waits until it answers. */
  async revive(): Promise<void> {
    while (this.#runs) {
      if (await this.#answers()) return
      await pause(pollMs)
    }
    await this.start()
  }

  get #runs(): boolean {
    return this.#process?.exitCode === null && this.#process.signalCode === null
  }

  /** Ends it and waits: SIGKILL as a crash does, SIGINT in order. */
  async end(signal: 'SIGKILL' | 'SIGINT'): Promise<void> {
    if (!this.#runs) return
    const exit = once(this.#process!, 'exit')
    this.#process!.kill(signal)
    await exit
  }

  /** Kills all of its processes at once, as a machine that loses its power does. */
  async killAll(): Promise<void> {
    const all = [this.pid, ...processesBelow(this.pid)]
    const exit = once(this.#process!, 'exit')
    signalAll(all, 'SIGKILL')
    await exit
  }

  /** Makes a standby the primary. */
  async promote(): Promise<void> {
    const client = await this.connect()
    await client.query('select pg_promote(true, 300)').finally(() => client.end())
  }

  async connect(): Promise<pg.Client> {
    const client = new pg.Client({ host: '127.0.0.1', port: this.port, user: 'millrace', database: 'postgres' })
    client.on('error', () => {})
    await client.connect()
    return client
  }

  async #answers(): Promise<boolean> {
    const client = await this.connect().catch(() => undefined)
    await client?.end()
    return client !== undefined
  }

  #spawn(): void {
    const place = prepareDataDirectory(this.directory)
    const identity = chooseIdentity(findBinaries(), place)
    const settings = {
      port: this.port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: 150,
      // Processes die here, not machines: what was written is there.
      fsync: 'off',
      // The sessions of who changes the functions of the clock.
      allow_system_table_mods: 'on',
    }
    const given = [...Object.entries(settings).map(([name, value]) => `${name}=${value}`), ...this.#settings]
    const [command = '', ...rest] = [...identity.prefix, findBinaries().postgres, '-D', place.cluster]
    this.#process = spawn(command, [...rest, ...given.flatMap((each) => ['-c', each])], {
      ...spawnIdentity(identity),
      cwd: '/',
      env: commandEnvironment,
      stdio: ['ignore', 'ignore', openSync(join(this.directory, 'log'), 'a')],
    })
    endsWithUs(this.#process)
  }
}

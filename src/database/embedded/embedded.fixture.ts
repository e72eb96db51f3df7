/** What the tests of the embedded database share: directories, programs that can be killed, looks at processes. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { type Database, openDatabase } from '../connection.ts'
import type { DatabaseLog } from '../event.ts'
import { prepareDataDirectory } from './data-directory.ts'
import { type EmbeddedServer, startEmbedded } from './embedded.ts'
import { runningPostmaster } from './postmaster.ts'
import type { EmbeddedConnection } from './probe.ts'
import { socketDirectoryOf } from './socket-directory.ts'

/** Longer than a server takes that ends by no gentle signal. */
const waitMsMax = 180_000
const programMsMax = 600_000
const pollMs = 10
const fixture = fileURLToPath(new URL('./program.fixture.ts', import.meta.url))

const cleanups = new WeakMap<TestContext, (() => unknown)[]>()

/** Runs at the end of the test, the last one first: programs end before their directory goes. */
function atEnd(t: TestContext, cleanup: () => unknown): void {
  const known = cleanups.get(t)
  if (known !== undefined) {
    known.push(cleanup)
    return
  }
  const stack = [cleanup]
  cleanups.set(t, stack)
  t.after(async () => {
    for (const each of stack.reverse()) await each()
  })
}

/** A directory that is removed with the test, after its server has ended. */
export function scratch(t: TestContext, name = 'data'): string {
  const parent = mkdtempSync(join(realpathSync(tmpdir()), 'millrace-test-'))
  const directory = join(parent, name)
  atEnd(t, async () => {
    await ended(directory)
    rmSync(parent, { recursive: true, force: true })
    const { uid, gid } = userInfo()
    rmSync(socketDirectoryOf({ root: directory, owner: { uid, gid } }), { recursive: true, force: true })
  })
  return directory
}

/** Starts the database in this process; it is released with the test at the latest. */
export async function open(t: TestContext, directory: string, log: DatabaseLog = () => {}): Promise<EmbeddedServer> {
  const server = await startEmbedded(directory, log)
  atEnd(t, () => server.release())
  return server
}

/** Opens the store in this process; it is closed with the test. */
export async function openStore(t: TestContext, directory: string, log: DatabaseLog = () => {}): Promise<Database> {
  const database = await openDatabase({ kind: 'embedded', directory }, { log, poolSize: 2 })
  atEnd(t, () => database.close())
  return database
}

let template: Promise<string> | undefined

/** A scratch directory that already has a stopped database: saves the second that making one takes. */
export async function prepared(t: TestContext, name = 'data'): Promise<string> {
  template ??= makeTemplate()
  const directory = scratch(t, name)
  cpSync(join(await template, 'postgres'), join(directory, 'postgres'), { recursive: true })
  return directory
}

async function makeTemplate(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const server = await startEmbedded(directory, () => {})
  await server.release()
  return directory
}

interface Message {
  readonly event: string
  readonly connection?: EmbeddedConnection
  readonly message?: string
  readonly advice?: string
}

/** A child process that holds the database of a directory. */
export interface Program {
  readonly child: ChildProcess
  /** Waits for the next message of this kind. Messages are kept until asked for. */
  next(event: string): Promise<Message>
  kill(): Promise<void>
  release(): Promise<void>
}

/** Starts a program; `before` is a command line to run it with. It is killed with the test. */
export function program(t: TestContext, directory: string, before: readonly string[] = []): Program {
  const [command = '', ...rest] = [...before, process.execPath, fixture, directory]
  const child = spawn(command, rest, { stdio: ['pipe', 'inherit', 'inherit', 'ipc'] })
  const deadline = AbortSignal.timeout(programMsMax)
  const messages = on(child, 'message', { close: ['exit'], signal: deadline })
  const exit = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await exit
  }
  atEnd(t, kill)
  return {
    child,
    next: async (event) => {
      for (;;) {
        const { value, done } = await messages.next()
        assert.ok(!done, `the program ended before it said ${event}`)
        const message: Message = value[0]
        if (message.event === event) return message
        assert.notEqual(message.event, 'failed', message.message)
      }
    },
    kill,
    release: async () => {
      child.send('release')
      await exit
    },
  }
}

/** Runs one statement on the server of a program. */
export async function query(connection: EmbeddedConnection | undefined, sql: string): Promise<pg.QueryResult> {
  assert.ok(connection)
  const client = new pg.Client({ ...connection, ssl: false })
  client.on('error', () => {})
  await client.connect()
  try {
    return await client.query(sql)
  } finally {
    await client.end()
  }
}

/** The running server of a directory. */
export function serverOf(directory: string): number {
  const pid = runningPostmaster(prepareDataDirectory(directory))
  assert.ok(pid, 'no server runs')
  return pid
}

/** One of the server's own processes, by what it says of itself (`walwriter`). */
export function processOf(server: number, kind: string): number {
  const lines = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n')
  const found = lines
    .map((line) => line.trim().split(/\s+/))
    .find(([, parent, ...args]) => Number(parent) === server && args.includes(kind))
  assert.ok(found, `no ${kind} runs`)
  return Number(found[0])
}

/** Waits until neither a server nor a supervisor of a directory runs. */
export async function ended(directory: string): Promise<void> {
  const cluster = join(directory, 'postgres')
  await until(() => processes((line) => line.includes(cluster)).length === 0, `the server of ${directory} ends`)
}

/** The shells that supervise the server of a directory. */
export function supervisorsOf(directory: string): readonly number[] {
  return processes((line) => line.includes('millrace-supervisor') && line.includes(directory))
}

function processes(matches: (commandLine: string) => boolean): number[] {
  const lines = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n')
  const found = lines.filter((line) => matches(line)).map((line) => Number.parseInt(line, 10))
  return found.filter((pid) => pid !== process.pid && !childrenUnderTest(pid))
}

/** Test programs carry the directory in their command line too; they are not what the looks are after. */
function childrenUnderTest(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('program.fixture.ts')
  } catch {
    return true
  }
}

/** Names in a data directory that a half-made database left behind. */
export function draftsIn(directory: string): readonly string[] {
  return readdirSync(directory).filter((name) => name.startsWith('postgres.new-'))
}

/** Polls until a condition holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + waitMsMax
  while (!condition()) {
    assert.ok(Date.now() < deadline, `waited in vain until ${what}`)
    await sleep(pollMs)
  }
}

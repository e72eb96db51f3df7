import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { type ExportOptions, runExport } from './export.ts'
import type { ExportEvent, ExportSummary } from './report.ts'
import {
  type Act,
  bare,
  basePath,
  bytes,
  impatientClock,
  jobPath,
  json,
  manifestOf,
  type Script,
  type ScriptedServer,
  startScripted,
} from './scripted-server.fixture.ts'
import type { Clock } from './session/clock.ts'

/** For tests only: one scripted server, one directory for the export, and what was reported. */
export interface ExportFixture {
  readonly server: ScriptedServer
  readonly directory: string
  readonly events: ExportEvent[]
  readonly waits: number[]
  /** The client's, on which pauses take no time. */
  readonly clock: Clock
  readonly run: (more?: Partial<ExportOptions>) => Promise<ExportSummary>
  /** Names and contents of what is in the directory besides `export.json`. */
  readonly files: () => Promise<Record<string, string>>
}

/** A file for the script: its records as NDJSON, and how it is sent when not simply so. */
export interface ScriptedFile {
  readonly type: string
  readonly content?: string
  readonly act?: Act | readonly Act[]
  /** Further members of its manifest entry. */
  readonly entry?: object
}

export const kickOffPath = `${basePath}/Patient/$export`
export const filePath = (number: number): string => `${basePath}/bulk-export/files/${number}`

/** A script in which a job ends at once with these files; `more` replaces or adds acts. */
export function exportScript(files: readonly ScriptedFile[], more: Script = {}, manifest: object = {}): Script {
  const output = files.map(({ type, entry }, index) => ({ type, url: filePath(index + 1), ...entry }))
  const acts = files.map(
    ({ content = '', act }, index) => [`GET ${filePath(index + 1)}`, act ?? bytes(content)] as const,
  )
  return {
    [`POST ${kickOffPath}`]: bare(202, { 'content-location': jobPath }),
    [`GET ${jobPath}`]: json(200, manifestOf(output, manifest)),
    [`DELETE ${jobPath}`]: bare(202),
    ...Object.fromEntries(acts),
    ...more,
  }
}

const keys = generateKeyPair('ES384', { extractable: true })

export async function clientKey(): Promise<JWK> {
  return { ...(await exportJWK((await keys).privateKey)), kid: 'test' }
}

export async function temporaryDirectory(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-client-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** Resolves when a file has so many bytes; what is still on its way to the disk would be lost with the connection. */
export async function sizeReached(path: string, bytes: number): Promise<void> {
  while ((await stat(path).catch(() => undefined))?.size !== bytes) await new Promise(setImmediate)
}

export async function startExport(
  context: TestContext,
  script: Script | ((directory: string) => Script),
): Promise<ExportFixture> {
  const directory = join(await temporaryDirectory(context), 'out')
  const server = await startScripted(typeof script === 'function' ? script(directory) : script)
  context.after(server.stop)
  const events: ExportEvent[] = []
  const clock = impatientClock()
  const key = await clientKey()
  return {
    server,
    directory,
    events,
    waits: clock.waits,
    clock,
    run: (more = {}) => {
      const options: ExportOptions = {
        base: `${server.origin}${basePath}`,
        credentials: { clientId: 'app', key },
        order: { selection: { patients: ['1', '2'] }, types: [], typeFilters: [], includeAssociatedData: [] },
        directory,
        signal: new AbortController().signal,
        ...more,
      }
      return runExport(options, (event) => events.push(event), clock)
    },
    async files() {
      const names = (await readdir(directory)).filter((name) => name !== 'export.json').sort()
      const contents = names.map(async (name) => [name, await readFile(join(directory, name), 'latin1')] as const)
      return Object.fromEntries(await Promise.all(contents))
    },
  }
}

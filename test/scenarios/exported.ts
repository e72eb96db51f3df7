import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { Manifest } from '../../src/protocol/answer/manifest.ts'
import type { Answer } from './exchange.ts'
import { kickOffRequest } from './kick-off.ts'
import { issuesOf, type OutcomeIssue } from './outcome.ts'
import type { Change } from './scenario.ts'
import { type Caller, isHl7, type ScenarioSuite } from './suite.ts'

/** Between two questions about a running export, and until it must have ended. */
const pollPauseMs = 15
const exportMsMax = 300_000

/** Starts an export that must be accepted; gives its status URL. */
export async function startExport(suite: ScenarioSuite, caller: Caller, change: Change = {}): Promise<string> {
  const answer = await suite.send(await kickOffRequest(suite, caller, change))
  assert.equal(answer.status, 202, answer.body.toString('utf8'))
  return String(answer.headers['content-location'])
}

/** These questions come faster than a polite client's: some are one too many (T-169). */
const hasEnded = ({ status }: Answer): boolean => status !== 202 && status !== 429

/** The 200 of a status URL, as soon as the export has ended. */
export async function finishedAnswer(
  suite: ScenarioSuite,
  caller: Caller,
  statusUrl: string,
  ended: (answer: Answer) => boolean = hasEnded,
): Promise<Answer> {
  for (const begun = performance.now(); ; await pause(pollPauseMs)) {
    const answer = await suite.ask(caller, 'GET', statusUrl)
    if (ended(answer)) {
      assert.equal(answer.status, 200, answer.body.toString('utf8'))
      return answer
    }
    assert.ok(performance.now() - begun < exportMsMax, 'the export does not end')
  }
}

/** The manifest of a status URL, as soon as the export has ended. */
export async function finishedManifest(suite: ScenarioSuite, caller: Caller, statusUrl: string): Promise<Manifest> {
  const answer = await finishedAnswer(suite, caller, statusUrl)
  return JSON.parse(answer.body.toString('utf8')) as Manifest
}

/**
 * Follows a file's URL of the manifest to its plain text, without the token at the second hop (protocol §6). In profile hl7 the URL
 * answers with the file itself (D22).
 */
export async function download(suite: ScenarioSuite, caller: Caller, url: string): Promise<string> {
  const redirect = await suite.ask(caller, 'GET', url)
  assert.equal(redirect.status, isHl7(caller.tenant) ? 200 : 307)
  if (redirect.status === 200) return redirect.body.toString('utf8')
  const content = await suite.send({ method: 'GET', url: String(redirect.headers.location), headers: {} })
  assert.equal(content.status, 200)
  return content.body.toString('utf8')
}

/** Everything that an export brought. */
export class Exported {
  readonly manifest: Manifest
  readonly errors: readonly OutcomeIssue[]
  /** `Type/id` of what was deleted, in the order told. */
  readonly deleted: readonly string[]
  readonly #lines: ReadonlyMap<string, readonly string[]>

  constructor(
    manifest: Manifest,
    lines: ReadonlyMap<string, readonly string[]>,
    errors: readonly OutcomeIssue[],
    deleted: readonly string[],
  ) {
    this.manifest = manifest
    this.errors = errors
    this.deleted = deleted
    this.#lines = lines
  }

  /** The lines of each file of an export that is organized by patient, in the order of the manifest. */
  get files(): (readonly string[])[] {
    return [...this.#lines.values()]
  }

  /** The types with records, in order of their names. */
  get types(): string[] {
    return [...this.#lines.keys()].sort()
  }

  /** The lines of a type as they were sent. */
  lines(type: string): readonly string[] {
    return this.#lines.get(type) ?? []
  }

  /** The ids of a type in order; one that is exported twice stands twice. */
  ids(type: string): string[] {
    return this.lines(type)
      .map((line) => (JSON.parse(line) as { id: string }).id)
      .sort()
  }
}

/** Runs an export to its end and fetches all of its files. Every line must be a resource of its file's type (INFERNO). */
export async function exported(suite: ScenarioSuite, caller: Caller, change: Change = {}): Promise<Exported> {
  return exportedBy(suite, caller, await startExport(suite, caller, change))
}

/** Fetches all files of an export that was started. */
export async function exportedBy(suite: ScenarioSuite, caller: Caller, statusUrl: string): Promise<Exported> {
  const manifest = await finishedManifest(suite, caller, statusUrl)
  const lines = new Map<string, string[]>()
  const errors: OutcomeIssue[] = []
  for (const { type = 'Parameters', url, count } of manifest.output) {
    const found = linesOf(await download(suite, caller, url))
    assert.equal(found.length, count, `count of ${type}`)
    if (manifest.outputOrganizedBy !== undefined) {
      lines.set(url, found)
      continue
    }
    for (const line of found) assert.equal((JSON.parse(line) as { resourceType: string }).resourceType, type)
    lines.set(type, [...(lines.get(type) ?? []), ...found])
  }
  const deleted: string[] = []
  for (const { type = 'Bundle', url, count } of manifest.deleted ?? []) {
    const found = linesOf(await download(suite, caller, url))
    assert.equal(found.length, count, `count of ${type}`)
    assert.equal(type, 'Bundle')
    for (const line of found) deleted.push(...deletedBy(line))
  }
  for (const { type = 'OperationOutcome', url } of manifest.error) {
    assert.equal(type, 'OperationOutcome')
    for (const line of linesOf(await download(suite, caller, url))) errors.push(...issuesOf(line))
  }
  return new Exported(manifest, lines, errors, deleted)
}

/** §11.5: a transaction Bundle of nothing but deletions. */
function deletedBy(line: string): string[] {
  const bundle = JSON.parse(line) as { entry: { request: { method: string; url: string } }[] }
  assert.deepEqual({ ...bundle, entry: [] }, { resourceType: 'Bundle', type: 'transaction', entry: [] })
  return bundle.entry.map((entry) => {
    assert.deepEqual(entry, { request: { method: 'DELETE', url: entry.request.url } })
    return entry.request.url
  })
}

/** NDJSON: every line ends with a line feed, and none is empty. */
function linesOf(text: string): string[] {
  assert.ok(text.endsWith('\n'))
  const lines = text.slice(0, -1).split('\n')
  for (const line of lines) assert.notEqual(line, '')
  return lines
}

import { Failure } from '../failure.ts'
import { parseInstant } from '../fhir/instant.ts'
import { manifestFilesMax } from './limits.ts'
import { isObject, plainText } from './session/outcome.ts'

/** One file that the manifest offers. */
export interface OfferedFile {
  readonly kind: 'output' | 'deleted' | 'error'
  /** Letters only: it becomes part of a file name. */
  readonly type: string
  readonly url: URL
  /** Resources in the file, where the server says so. */
  readonly count: number | undefined
  /** The name it gets, without extension: `Condition.2`, `deleted.Bundle.1`, `error.OperationOutcome.1`. */
  readonly stem: string
}

/** The manifest of a finished job (§11.5), checked. */
export interface Manifest {
  readonly transactionTime: string
  readonly requiresAccessToken: boolean
  readonly files: readonly OfferedFile[]
}

/**
 * Reads a manifest. File URLs may be relative to it, `error` may be missing and `requiresAccessToken` may be the string
 * "true": servers in the field do all three.
 * @throws Failure when it lacks what a download needs, holds a hostile type or address, or continues in another manifest
 */
export function parseManifest(body: unknown, url: URL): Manifest {
  if (!isObject(body)) throw unusable('it is not a JSON object')
  const { transactionTime, requiresAccessToken, output, deleted = [], error = [], link = [] } = body
  if (typeof transactionTime !== 'string' || parseInstant(transactionTime) === undefined) {
    throw unusable('transactionTime is not an instant')
  }
  if (![true, false, 'true', 'false'].includes(requiresAccessToken as boolean | string)) {
    throw unusable('requiresAccessToken is neither true nor false')
  }
  if (!Array.isArray(output) || !Array.isArray(deleted) || !Array.isArray(error)) {
    throw unusable('output, deleted and error must be arrays')
  }
  if (Array.isArray(link) && link.length > 0)
    throw unusable('it continues in a second manifest, which was not asked for')
  if (output.length + deleted.length + error.length > manifestFilesMax) {
    throw unusable(`it lists more than ${manifestFilesMax} files`)
  }
  const numbers = new Map<string, number>()
  const read = (kind: OfferedFile['kind'], entries: unknown[]) =>
    entries.map((entry, index) => offeredFile(kind, entry, `${kind}[${index}]`, url, numbers))
  return {
    transactionTime,
    requiresAccessToken: String(requiresAccessToken) === 'true',
    files: [...read('output', output), ...read('deleted', deleted), ...read('error', error)],
  }
}

function offeredFile(
  kind: OfferedFile['kind'],
  entry: unknown,
  path: string,
  base: URL,
  numbers: Map<string, number>,
): OfferedFile {
  if (!isObject(entry)) throw unusable(`${path} is not an object`)
  const { type, url, count } = entry
  if (typeof type !== 'string' || !/^[A-Za-z]{1,64}$/.test(type)) {
    throw unusable(`${path}.type is not a resource type: ${plainText(JSON.stringify(type) ?? 'missing', 80)}`)
  }
  const target = typeof url === 'string' && URL.canParse(url, base.href) ? new URL(url, base) : undefined
  if (!target || !/^https?:$/.test(target.protocol)) throw unusable(`${path}.url is not a web address`)
  if (base.protocol === 'https:' && target.protocol === 'http:') throw unusable(`${path}.url is not https`)
  const prefix = kind === 'output' ? type : `${kind}.${type}`
  // Some file systems do not tell `patient` from `Patient`: they share one run of numbers.
  const number = (numbers.get(prefix.toLowerCase()) ?? 0) + 1
  numbers.set(prefix.toLowerCase(), number)
  return {
    kind,
    type,
    url: target,
    count: Number.isSafeInteger(count) ? (count as number) : undefined,
    stem: `${prefix}.${number}`,
  }
}

const unusable = (why: string) =>
  new Failure(`The manifest of the export cannot be used: ${why}.`, 'Report this to the operator of the server.')

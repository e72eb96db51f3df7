import { isUtf8 } from 'node:buffer'
import { IssueTally } from '../issue-tally.ts'
import type { OfferedFile } from '../manifest.ts'
import { isObject, issuesOf, plainText } from '../session/outcome.ts'
import { addId, type FileIds, noIds } from './ids.ts'
import { LineTooLong, lineSplitter } from './line-splitter.ts'

/** What one file holds, and what is wrong with it. */
export interface Findings {
  readonly records: number
  /** Ids of its records, for `output` files; undefined for the others. */
  readonly ids: FileIds | undefined
  /** Issues of its OperationOutcomes, for `error` files. */
  readonly issues: IssueTally
  /** Sentences about its faults; empty when it is as the manifest says. */
  readonly faults: readonly string[]
}

export interface Inspection {
  /** Looks at the next bytes (inflated); undefined marks the end. */
  readonly take: (chunk: Buffer | undefined) => void
  readonly findings: () => Findings
}

/** Checks a file line by line: one JSON object each, of the type that the manifest names, as many as it counts (§11.6). */
export function inspect(file: OfferedFile): Inspection {
  const ids = file.kind === 'output' ? noIds() : undefined
  const issues = new IssueTally()
  let records = 0
  let faulty = 0
  let firstFault = ''

  function takeLine(line: Buffer): void {
    records++
    const record = parseRecord(line)
    const fault = typeof record === 'string' ? record : typeFault(record, file.type)
    if (fault !== undefined && faulty++ === 0) firstFault = `line ${records} ${fault}`
    if (ids) addId(ids, fault === undefined ? keyOf(record) : '')
    if (file.kind === 'error') for (const issue of issuesOf(record)) issues.add(issue)
  }

  const split = lineSplitter(takeLine)
  let unreadable: string | undefined

  return {
    take(chunk) {
      if (unreadable !== undefined) return
      try {
        split(chunk)
      } catch (error) {
        if (!(error instanceof LineTooLong)) throw error
        unreadable = error.message
      }
    },
    findings() {
      const faults: string[] = []
      if (faulty > 0) faults.push(faulty === 1 ? firstFault : `${firstFault} (and ${faulty - 1} more such lines)`)
      if (unreadable !== undefined) faults.push(unreadable)
      else if (file.count !== undefined && file.count !== records) {
        faults.push(`it has ${records} records, but the manifest says ${file.count}`)
      }
      return { records, ids, issues, faults }
    },
  }
}

/** What an id is told apart by; empty for a record without one. */
function keyOf(record: unknown): string {
  return isObject(record) && typeof record.id === 'string' ? `${record.resourceType}/${record.id}` : ''
}

/** The object, or what keeps the line from being one. */
function parseRecord(line: Buffer): Record<string, unknown> | string {
  if (!isUtf8(line)) return 'is not UTF-8'
  try {
    const value: unknown = JSON.parse(line.toString('utf8'))
    return isObject(value) ? value : 'is not a JSON object'
  } catch {
    return 'is not JSON'
  }
}

function typeFault(record: Record<string, unknown>, type: string): string | undefined {
  if (record.resourceType === type) return undefined
  const found = typeof record.resourceType === 'string' ? plainText(record.resourceType, 40) : 'nothing'
  return `is of type ${found}, not ${type}`
}

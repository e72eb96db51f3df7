import type { Meter } from '../telemetry/meter.ts'

/** What an engine tells its operator; never with record content. */
type EngineEvent =
  | 'export-completed'
  | 'export-failed'
  | 'export-expired'
  | 'task-failed'
  | 'warm-up-failed'
  | 'queue-error'
  | 'queue-warning'
  | 'sweep-failed'
  | 'pack-refused'
  | 'pack-failed'
  | 'packed'
  | 'reowning'
  | 'reowning-failed'
  | 'files-mended'
  | 'files-lost'
  | 'disk-short'
  | 'files-unusable'

export type EngineLog = (event: EngineEvent, details: object) => void

const calm: ReadonlySet<string> = new Set<EngineEvent>(['packed', 'reowning', 'export-completed', 'export-expired'])

/** Whether what is told is as it should be. */
export const isCalm = (event: string): boolean => calm.has(event)

/** Writes what an engine tells as a line: how exports end under a text of their own, all else as events of the engine. */
export function writeEngineEvent(
  log: Readonly<Record<'info' | 'warn', (fields: object, text: string) => void>>,
  event: string,
  details: object,
): void {
  const level = isCalm(event) ? 'info' : 'warn'
  if (event.startsWith('export-')) log[level](details, event.replace('-', ' '))
  else log[level]({ event, ...details }, 'engine')
}

const ends: Readonly<Record<string, string>> = {
  'export-completed': 'completed',
  'export-failed': 'failed',
  'export-expired': 'expired',
}

/** Counts what an engine tells. */
export function measureEngineEvent(
  meter: Meter,
  event: string,
  { seconds, bytes }: { readonly seconds?: unknown; readonly bytes?: unknown },
): void {
  meter.count('millrace_engine_events_total', { event })
  const outcome = ends[event]
  if (outcome === undefined) return
  meter.count('millrace_exports_ended_total', { outcome })
  if (outcome !== 'completed') return
  meter.observe('millrace_export_seconds', Number(seconds))
  meter.count('millrace_export_file_bytes_total', {}, Number(bytes))
}

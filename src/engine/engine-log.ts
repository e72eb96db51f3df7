/** What an engine tells its operator; never with record content. */
type EngineEvent =
  | 'export-completed'
  | 'export-failed'
  | 'export-expired'
  | 'task-failed'
  | 'warm-up-failed'
  | 'queue-error'
  | 'sweep-failed'
  | 'pack-refused'
  | 'pack-failed'
  | 'packed'
  | 'files-mended'
  | 'files-lost'
  | 'disk-short'
  | 'files-unusable'

export type EngineLog = (event: EngineEvent, details: object) => void

const calm: ReadonlySet<string> = new Set<EngineEvent>(['packed', 'export-completed', 'export-expired'])

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

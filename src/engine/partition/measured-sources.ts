import type { Meter } from '../../telemetry/meter.ts'
import { type Amount, addAmount, type Selection } from './selection.ts'

/** Tells where the records of a published partition came from. Deletions and the `error` file are none. */
export function measureSources(meter: Meter, { parts, copied, chosen }: Selection): void {
  const all: Amount = { records: 0, bytes: 0 }
  for (const part of parts) if (part.kind === 'output') addAmount(all, part)
  const versions = {
    records: all.records - copied.records - chosen.records,
    bytes: all.bytes - copied.bytes - chosen.bytes,
  }
  for (const [source, { records, bytes }] of Object.entries({ packs: copied, chosen, versions })) {
    meter.count('millrace_export_records_total', { source }, records)
    meter.count('millrace_export_bytes_total', { source }, bytes)
  }
}

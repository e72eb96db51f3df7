import type { ClientBase } from 'pg'
import { type ResourceText, stampBytesMax } from '../fhir/resource-text.ts'
import { copyIn, type RowEncoding, textRoom } from './copy/copy-in.ts'

/** One row of the table `record`, not yet superseded. Times are milliseconds since 1970. */
export interface Row {
  readonly owner: string
  readonly type: string
  readonly id: string
  readonly version: number
  readonly written: number
  readonly updated: number
  readonly lead: boolean
  readonly shared: boolean
  readonly refs: string
  readonly targets: string
  readonly digest: Buffer
  /** null for a tombstone */
  readonly text: ResourceText | null
}

const columns = 'tenant,owner,type,id,version,written,updated,deleted,lead,shared,refs,targets,digest,body'.split(',')

/** Adds rows to the store. */
export const insertRows = (client: ClientBase, tenant: string, rows: readonly Row[]): Promise<void> =>
  copyIn(client, encodingFor(tenant), rows)

const encodingFor = (tenant: string): RowEncoding<Row> => ({
  table: 'record',
  columns,
  room: ({ owner, type, id, refs, targets, digest, text }) =>
    textRoom(tenant, owner, type, id, refs, targets) + digest.length + (text ? text.bytes.length + stampBytesMax : 0),
  encode: (chunk, row) => {
    chunk.text(tenant)
    chunk.text(row.owner)
    chunk.text(row.type)
    chunk.text(row.id)
    chunk.integer(row.version)
    chunk.instant(row.written)
    chunk.instant(row.updated)
    chunk.flag(row.text === null)
    chunk.flag(row.lead)
    chunk.flag(row.shared)
    chunk.text(row.refs)
    chunk.text(row.targets)
    chunk.binary(row.digest)
    chunk.line(row.text, row.version, row.updated)
  },
})

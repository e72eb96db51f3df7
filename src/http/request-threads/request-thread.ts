import { parentPort, workerData } from 'node:worker_threads'
import type { PoolConfig } from 'pg'
import { AuditTrail } from '../../audit/trail.ts'
import { openAnsweringPool } from '../../database/connection.ts'
import { type FilesPlace, openRoom } from '../../files/files-place.ts'
import { openProducer } from '../../jobs/queue.ts'
import { lowerBackends } from '../../priority/backend-priority.ts'
import { lowerOwnPriority, niceness } from '../../priority/thread-priority.ts'
import { DistantMeter } from '../../telemetry/distant-meter.ts'
import { measurePool } from '../../telemetry/pool-samples.ts'
import { inTrace } from '../../telemetry/tracing/tracing.ts'
import { ownBytes } from '../bytes/own-bytes.ts'
import { CarriedRequests } from './carried-requests.ts'
import { DistantQueue } from './distant-queue.ts'
import { DistantRoom } from './distant-room.ts'
import { shrinkHeap } from './garbage.ts'
import type { FromThread, ToThread } from './handed-request.ts'

/** What the main thread gives. */
export interface RequestThreadData {
  readonly connection: PoolConfig
  /** The database runs on this machine, with this program. */
  readonly ownDatabase: boolean
  readonly files: FilesPlace
}

/** One request at a time: a transaction, and a look beside it. */
const connectionsOfThread = 2

// Whoever is answered at once goes before what takes long.
lowerOwnPriority(niceness.request)

const { connection, ownDatabase, files } = workerData as RequestThreadData
const port = parentPort!
const tell = (message: FromThread, transferred: ArrayBuffer[] = []) => port.postMessage(message, transferred)
const pool = openAnsweringPool(connection, connectionsOfThread)
if (ownDatabase) lowerBackends(pool)
const meter = new DistantMeter(
  (measured) => tell({ kind: 'measured', measured }),
  () => poolLevels(),
)
const poolLevels = measurePool(pool, 'requests', meter)
const queue = new DistantQueue(tell, () => requests.wasRead())
const room = new DistantRoom(tell)
const trail = new AuditTrail(pool, () => {})
const producer = await openProducer(pool, (error) =>
  tell({ kind: 'log', level: 'error', fields: { reason: error.message }, text: 'queue' }),
)
const requests = new CarriedRequests(
  {
    pool,
    writes: { pool, queue },
    enqueue: producer.enqueue,
    files: openRoom(files, (shortage) =>
      tell({ kind: 'log', level: 'warn', fields: shortage, text: 'too little free disk' }),
    ),
    // What is granted is recorded here, before it is answered; refusals are counted in one place.
    meter,
    audit: { record: (entry) => trail.record(entry), note: (entry) => tell({ kind: 'note', entry }) },
  },
  room,
  (level, fields, text) => tell({ kind: 'log', level, fields, text }),
)

port.on('message', (message: ToThread) => {
  if (message.kind === 'room' || message.kind === 'no room') return room.told(message)
  if (message.kind !== 'request') return queue.told(message.kind)
  inTrace(message.request.traceparent, () => requests.carry(message.request)).then(
    (answer) => {
      const payload = ownBytes(answer.payload)
      tell({ kind: 'answer', answer: { ...answer, payload } }, [payload.buffer])
      requests.wasAnswered()
    },
    (error: Error) => {
      tell({ kind: 'failed', message: error.message })
      requests.wasAnswered()
    },
  )
})
shrinkHeap()
tell({ kind: 'ready' })

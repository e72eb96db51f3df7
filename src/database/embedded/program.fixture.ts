/** A program with an embedded database, for tests that need several or kill one: `node program.fixture.ts DIRECTORY`. */
import { Failure } from '../../failure.ts'
import { startEmbedded } from './embedded.ts'

const tell = (message: object) => process.send?.(message)

try {
  const server = await startEmbedded(process.argv[2] ?? '', (event) => tell(event))
  process.once('message', async () => {
    await server.release()
    process.disconnect?.()
  })
  tell({ event: 'ready', connection: server.connection })
} catch (error) {
  if (!(error instanceof Failure)) throw error
  tell({ event: 'failed', message: error.message, advice: error.advice })
  process.exitCode = 1
  process.disconnect?.()
}

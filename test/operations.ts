import { Session } from 'node:inspector/promises'

// From the beginning and to the end: V8 keeps count only of what it has compiled while it was told to.
const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })

/**
 * How often the blocks of the program's own code run while `work` does: a measure of work that is the same on every machine.
 * What happens inside V8 (regular expressions, JSON.parse) counts as nothing.
 */
export async function operationsOf(work: () => unknown): Promise<number> {
  await session.post('Profiler.takePreciseCoverage')
  await work()
  const { result } = await session.post('Profiler.takePreciseCoverage')
  let operations = 0
  for (const { url, functions } of result)
    if (url.includes('/src/')) for (const { ranges } of functions) for (const { count } of ranges) operations += count
  return operations
}

import { readdirSync } from 'node:fs'
import { eventLoopUtilization } from 'node:perf_hooks'
import type { Sample } from './meter.ts'

/** What the process and the present thread take. */
export function processSamples(version: string): Sample[] {
  const { user, system } = process.cpuUsage()
  const { active, idle } = eventLoopUtilization()
  const loop = (state: string, ms: number): Sample => ({
    name: 'nodejs_eventloop_time_seconds_total',
    value: ms / 1000,
    labels: { nodejs_eventloop_state: state },
  })
  const files = openFiles()
  return [
    { name: 'millrace_build_info', value: 1, labels: { version, node: process.versions.node } },
    { name: 'process_cpu_seconds_total', value: (user + system) / 1_000_000 },
    { name: 'process_resident_memory_bytes', value: process.memoryUsage.rss() },
    { name: 'process_start_time_seconds', value: performance.timeOrigin / 1000 },
    ...(files === undefined ? [] : [{ name: 'process_open_fds' as const, value: files }]),
    loop('active', active),
    loop('idle', idle),
  ]
}

/** Linux alone tells. */
function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return undefined
  }
}

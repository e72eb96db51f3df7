import { Command } from 'commander'
import type { ExportEvent } from '../client/report.ts'
import { type DemoResult, runDemo } from '../demo/demo.ts'
import { Failure } from '../failure.ts'
import { sandboxTenant } from '../sandbox.ts'
import { formatBytes, formatCount } from './export/export-summary.ts'
import { type Output, printTable } from './output.ts'

/** The characters that are shown of one record. */
const sampleCharsMax = 150

const next = `What to type next:

  bin/millrace serve --sandbox          the same patients, for people who write clients; it prints curl lines that work

With data of your own:
  bin/millrace tenant add clinic
  bin/millrace load --tenant clinic PATH
  bin/millrace client add --tenant clinic --name my-app --scope "system/*.read" --generate-key my-app.jwk.json
  bin/millrace serve
`

/** `millrace demo`: a whole export, from generated patients to checked files. */
export function demoCommand(output: Output = process.stdout): Command {
  return new Command('demo')
    .description('run a whole export in a temporary directory, from generated patients to checked files')
    .action(async () => {
      const started = performance.now()
      const stop = new AbortController()
      process.once('SIGINT', () => stop.abort(new Failure('Stopped.', 'Nothing is left behind.', { exitCode: 130 })))
      const result = await runDemo(
        { step: (text) => output.write(`▸ ${text}\n`), event: (event) => showEvent(output, event) },
        stop.signal,
      )
      show(output, result, (performance.now() - started) / 1000)
      if (result.wrong.length > 0) {
        throw new Failure(`Counts are wrong. ${result.wrong.join('; ')}.`, 'This is a defect: please report it.')
      }
      output.write(`\nEvery count is right. ${next}`)
    })
}

function showEvent(output: Output, event: ExportEvent): void {
  if (event.kind === 'job') output.write(`  202 Accepted, Content-Location: ${event.statusUrl}\n`)
  if (event.kind === 'running') output.write(`  202 ${event.progress ?? 'in progress'}\n`)
  if (event.kind === 'manifest') output.write(`  200 OK, ${event.files} files\n`)
}

function show(output: Output, { generated, loaded, summary, manifest, samples }: DemoResult, seconds: number): void {
  output.write(`\nThe manifest:\n${manifest}\n\nOne record of each type:\n`)
  for (const [type, line] of samples) {
    output.write(`  ${type.padEnd(19)} ${line.slice(0, sampleCharsMax)}${line.length > sampleCharsMax ? '…' : ''}\n`)
  }
  output.write('\n')
  const types = Map.groupBy(summary.files, ({ type }) => type)
  const rows = [...types].map(([type, files]) => [
    type,
    formatCount(files.length),
    formatCount(files.reduce((sum, { count }) => sum + count, 0)),
    formatBytes(files.reduce((sum, { bytes }) => sum + bytes, 0)),
  ])
  printTable(output, ['TYPE', 'FILES', 'RECORDS', 'SIZE'], rows)
  const rate = (records: number, time: number) =>
    `${formatCount(Math.round(records / Math.max(time, 0.001)))} records/s`
  const { totals } = summary
  output.write(
    `
Tenant     ${sandboxTenant}
Generated  ${formatCount(generated.records)} records, ${formatBytes(generated.bytes)}, ${rate(generated.records, generated.seconds)}
Loaded     ${formatCount(loaded.records)} records, ${rate(loaded.records, loaded.seconds)}
Exported   ${formatCount(totals.records)} records, ${formatBytes(totals.bytes)} (${formatBytes(totals.receivedBytes)} compressed) in ${summary.seconds.toFixed(1)} s from kick-off to checked files
All of it  ${seconds.toFixed(1)} s
`,
  )
}

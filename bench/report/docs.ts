import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Result } from '../figure.ts'
import type { Chart } from './charts.ts'
import { groupsOf } from './groups.ts'
import { describeRun } from './table.ts'

const page = fileURLToPath(new URL('../../docs/performance.md', import.meta.url))
const chartsFolder = 'performance'
const begin = '<!-- figures: written by npm run bench -- --write-docs -->'
const end = '<!-- end of figures -->'

/** Puts the figures between the page's two marks, and the charts beside the page. */
export async function writeDocs(result: Result, charts: readonly Chart[]): Promise<void> {
  const folder = join(dirname(page), chartsFolder)
  await mkdir(folder, { recursive: true })
  for (const { name, svg } of charts) await writeFile(join(folder, name), svg)
  const text = await readFile(page, 'utf8')
  await writeFile(page, replaceFigures(text, figuresText(result, charts)))
}

/** Throws when the marks are not there, in their order. */
export function replaceFigures(text: string, figures: string): string {
  const from = text.indexOf(begin)
  const to = text.indexOf(end, from)
  if (from < 0 || to < 0) throw new Error(`${begin} and ${end} must stand in docs/performance.md`)
  return `${text.slice(0, from)}${begin}\n\n${figures}\n\n${text.slice(to)}`
}

/** The figures as Markdown: the run, the charts, a table for each group. */
export function figuresText(result: Result, charts: readonly Chart[]): string {
  const run = [...describeRun(result), `Measured on ${result.measured.slice(0, 10)}.`].join('\n')
  const images = charts.map(({ name, title }) => `![${title}](${chartsFolder}/${name})`)
  const tables = groupsOf(result.figures).map(({ heading, rows }) =>
    [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n'),
  )
  return [run, ...images, ...tables].join('\n\n')
}

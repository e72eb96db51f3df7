import { formatted } from '../formatted.ts'
import { type Panel, rows } from './panels.ts'

export const dashboardFile = new URL('../../docs/monitoring/dashboard.json', import.meta.url)

const columns = 24
const width = 12
const height = 8
const datasource = { type: 'prometheus', uid: '$datasource' }

/** The dashboard as Grafana imports it (Dashboards, New, Import). */
export function dashboard(): string {
  let y = 0
  let id = 0
  const panels: object[] = []
  for (const { title, panels: ofRow } of rows()) {
    panels.push({ id: ++id, type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: columns, h: 1 }, panels: [] })
    y += 1
    for (const [at, panel] of ofRow.entries()) {
      const x = (at * width) % columns
      panels.push(panelOf(panel, ++id, { x, y, w: width, h: height }))
      if (x + width >= columns || at === ofRow.length - 1) y += height
    }
  }
  return formatted(JSON.stringify({ ...frame, panels }), dashboardFile)
}

const panelOf = ({ title, says, unit, targets }: Panel, id: number, gridPos: object) => ({
  id,
  type: 'timeseries',
  title,
  description: says,
  datasource,
  gridPos,
  fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
  options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  targets: targets.map(({ query, legend }, at) => ({
    refId: String.fromCharCode(65 + at),
    datasource,
    expr: query,
    legendFormat: legend,
  })),
})

const frame = {
  title: 'Millrace',
  uid: 'millrace',
  tags: ['millrace', 'fhir'],
  schemaVersion: 39,
  editable: true,
  refresh: '30s',
  time: { from: 'now-6h', to: 'now' },
  templating: {
    list: [
      { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Prometheus' },
      {
        name: 'job',
        type: 'query',
        label: 'Job',
        datasource,
        query: 'label_values(millrace_build_info, job)',
        includeAll: true,
        multi: true,
        current: { text: 'All', value: '$__all' },
        refresh: 2,
      },
    ],
  },
}

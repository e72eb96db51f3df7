import { type Alert, alerts } from './alerts.ts'

export const alertRulesFile = new URL('../../docs/monitoring/alerts.yml', import.meta.url)

/** The rules as Prometheus reads them. A JSON string is one of YAML too. */
export function alertRules(): string {
  const rules = alerts.map(ruleOf).join('')
  return `# Made by "npm run pages" of scripts/metrics/alerts.ts. Copy it, and change the numbers to what you have promised.
groups:
  - name: millrace
    rules:
${rules}`
}

const ruleOf = ({ name, severity, query, for: duration, summary, todo }: Alert): string => `      - alert: ${name}
        expr: ${JSON.stringify(query)}
        for: ${duration}
        labels:
          severity: ${severity}
        annotations:
          summary: ${JSON.stringify(summary)}
          description: ${JSON.stringify(todo)}
`

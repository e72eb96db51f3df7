// Writes docs/reference/metrics.md, the dashboard and the alert rules from the table of metrics. A test compares them.
import { writeFileSync } from 'node:fs'
import { alertRules, alertRulesFile } from './metrics/alert-rules.ts'
import { dashboard, dashboardFile } from './metrics/dashboard.ts'
import { metricsPage, metricsPageFile } from './metrics/page.ts'

writeFileSync(metricsPageFile, metricsPage())
writeFileSync(dashboardFile, dashboard())
writeFileSync(alertRulesFile, alertRules())

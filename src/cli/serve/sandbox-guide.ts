import { shellWord } from '../output.ts'

/** How to call the sandbox: commands that work as they stand, in another terminal. */
export function sandboxGuide(base: string, clientId: string, keyFile: string): string {
  const key = shellWord(keyFile)
  return `
The sandbox holds the patients 12783127, 12783128 and 12783129 of the operation's page, and 197 more.

  FHIR base  ${base}
  client id  ${clientId}
  key        ${keyFile}

In another terminal:

  TOKEN=$(bin/millrace token --server ${base} --client-id ${clientId} --key ${key})

  curl -i -X POST '${base}/Patient/$export' \\
    -H "Authorization: Bearer $TOKEN" -H 'Accept: application/fhir+json' \\
    -H 'Content-Type: application/fhir+json' -H 'Prefer: respond-async' \\
    -d '{"resourceType":"Parameters","parameter":[
      {"name":"patient","valueReference":{"reference":"Patient/12783127"}},
      {"name":"patient","valueReference":{"reference":"Patient/12783128"}},
      {"name":"patient","valueReference":{"reference":"Patient/12783129"}},
      {"name":"_type","valueString":"Condition,Provenance"},
      {"name":"_typeFilter","valueString":"Condition?category=problem-list-item"},
      {"name":"includeAssociatedData","valueCode":"RelevantProvenanceResources"},
      {"name":"_since","valueInstant":"2021-03-18T19:19:42.000Z"},
      {"name":"_outputFormat","valueString":"application/fhir+ndjson"}]}'

  curl -i -H "Authorization: Bearer $TOKEN" CONTENT_LOCATION     until 200, the manifest
  curl -L --compressed -H "Authorization: Bearer $TOKEN" FILE_URL

or all of it at once:

  bin/millrace export --server ${base} --client-id ${clientId} --key ${key} \\
    --patient 12783127 --patient 12783128 --patient 12783129 --out page-patients

`
}

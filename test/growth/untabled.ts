const ofOperator = 'reads what the operator writes'
const ofRows = 'asks the database, whose work the growth of the routes counts'
const ofRequest = 'hands the parts of a request to readers that are in the table'
const ofPacking = 'reads what packing has written, under a checksum'
const ofOneValue = 'looks at one short value'

/** Readers that have no place in the table, and why. */
export const untabled: Readonly<Record<string, string>> = {
  'access/content-link.ts': 'computes one signature',
  'audit/chain.ts': ofRows,
  'cli/serve/byte-size.ts': ofOperator,
  'cli/serve/listening.ts': ofOperator,
  'cli/serve/public-url.ts': ofOperator,
  'client/session/key-file.ts': ofOperator,
  'client/session/token.ts': 'reads one small answer with JSON.parse',
  'client/session/transport.ts': 'gathers an answer up to a bound',
  'config.ts': ofOperator,
  'database/setting.ts': ofRows,
  'fhir/operation-outcome.ts': 'makes an answer, of problems that are bounded',
  'http/admin/admin-answer.ts': ofOneValue,
  'http/bytes/request-body.ts': 'gathers a body up to a bound, in pieces that may not be too small',
  'http/kick-off/kick-off.ts': ofRequest,
  'http/records/bundle/audited-entries.ts': ofRows,
  'http/records/bundle/bundle-answer.ts': ofRows,
  'http/records/bundle/bundle-body.ts': ofRequest,
  'http/records/bundle/bundle-route.ts': ofRequest,
  'http/records/bundle/bundle-write.ts': ofRows,
  'http/records/resource-draft.ts': ofRequest,
  'protocol/plan/job-state.ts': ofOneValue,
  'protocol/plan/pack-use.ts': ofOneValue,
  'protocol/plan/unresolved-members.ts': 'makes a few sentences of what was counted',
  'records/load/source/source-bytes.ts': 'opens a file',
  'records/load/source/source-files.ts': 'lists files',
  'records/load/source/standard-input.ts': 'passes bytes on',
  'records/packs/columns/sealed-columns.ts': ofPacking,
  'records/packs/columns/varints.ts': ofPacking,
  'records/packs/marked-rows.ts': ofRows,
  'records/packs/marks.ts': ofRows,
  'records/packs/pack-body.ts': ofPacking,
  'records/read.ts': ofRows,
}

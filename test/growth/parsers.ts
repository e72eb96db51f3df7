import { gzipSync } from 'node:zlib'
import { bearerTokenOf } from '../../src/access/bearer.ts'
import { decideScopes } from '../../src/access/granted-scope.ts'
import { readForeignClaims } from '../../src/access/issuers/foreign-claims.ts'
import { issuerNamed } from '../../src/access/issuers/outside-issuers.ts'
import { networkOf } from '../../src/access/network-of.ts'
import { keysOf } from '../../src/access/registry/client-key-set.ts'
import { grantOf, parseScope, scopeList } from '../../src/access/scope.ts'
import { claimedClient } from '../../src/access/tokens/claimed-client.ts'
import { readBasic } from '../../src/access/tokens/client-authentication.ts'
import { readForm } from '../../src/access/tokens/posted-form.ts'
import { parseAuditQuery } from '../../src/audit/search-query.ts'
import { maskPasswords } from '../../src/cli/masked-password.ts'
import { inspect } from '../../src/client/download/inspection.ts'
import { parseManifest } from '../../src/client/manifest.ts'
import { parsePatients } from '../../src/client/order.ts'
import { issuesIn, plainText } from '../../src/client/session/outcome.ts'
import { retryAfterMs } from '../../src/client/session/waiting.ts'
import { readEntries } from '../../src/fhir/bundle/bundle-entries.ts'
import { BundleIdentities, endOf, rootOf } from '../../src/fhir/bundle/bundle-identities.ts'
import { readIdentifierQuery, readIdentifierSearch } from '../../src/fhir/bundle/identifier-query.ts'
import { referencesIn, renameReferences } from '../../src/fhir/bundle/reference-text.ts'
import { resolutionsIn } from '../../src/fhir/bundle/same-but-resolved.ts'
import { parseInstant } from '../../src/fhir/instant.ts'
import { jsonExcess } from '../../src/fhir/json/json-excess.ts'
import { jsonFault } from '../../src/fhir/json/json-fault.ts'
import type { JsonObject } from '../../src/fhir/json/json-object.ts'
import { itemsOf, membersOf, oneLine, repeatedKey } from '../../src/fhir/json/json-text.ts'
import { jsonVerdict } from '../../src/fhir/json/json-verdict.ts'
import { modifierExtensionIn } from '../../src/fhir/modifier-extension.ts'
import { notedReference, readOpen } from '../../src/fhir/open-reference.ts'
import { localReference } from '../../src/fhir/reference.ts'
import { attachmentRefs, withAbsoluteUrls } from '../../src/fhir/relations/attachment-urls.ts'
import { ResourceScanner } from '../../src/fhir/resource-scanner.ts'
import { digestOf, readResourceText, storedLine, storedText } from '../../src/fhir/resource-text.ts'
import { documentedTypes } from '../../src/fhir/resource-types.ts'
import { securityContextOf } from '../../src/fhir/security-context.ts'
import { subsetText } from '../../src/fhir/subset-text.ts'
import { parseRange } from '../../src/files/byte-range.ts'
import { compileFilter } from '../../src/filter/compile.ts'
import { readDecimal } from '../../src/filter/match/decimal.ts'
import { spanOf } from '../../src/filter/match/span.ts'
import { parseTypeFilter } from '../../src/filter/parse/parse.ts'
import { hl7Switches, millenniumSwitches } from '../../src/filter/parse/switches.ts'
import { cutQueries, cutUnescaped, isWellEscaped, unescaped } from '../../src/filter/query-text.ts'
import { unitOf } from '../../src/filter/ucum/unit.ts'
import type { Caller } from '../../src/http/caller.ts'
import { decisionsOf } from '../../src/http/records/bundle/decision.ts'
import { stepOf } from '../../src/http/records/bundle/entry-step.ts'
import { planOf } from '../../src/http/records/bundle/plan.ts'
import { AskedIdentifiers, noView, questionsOf, type StoreView } from '../../src/http/records/bundle/store-view.ts'
import { queryOf } from '../../src/http/records/request-condition.ts'
import { ifMatchVersion } from '../../src/http/records/resource-body.ts'
import { quoted } from '../../src/protocol/client-text.ts'
import { groupMembers } from '../../src/protocol/plan/group-members.ts'
import { joinParts } from '../../src/protocol/plan/joined-parts.ts'
import { periodHolds } from '../../src/protocol/plan/member-period.ts'
import { openReferenceIssues } from '../../src/protocol/plan/open-references.ts'
import { planPartitions } from '../../src/protocol/plan/planned-partitions.ts'
import { UnlistedPlan } from '../../src/protocol/plan/unlisted-plan.ts'
import { profileNames, profiles } from '../../src/protocol/profile.ts'
import {
  acceptsFile,
  checkAccept,
  checkContentType,
  checkPrefer,
  parsePrefer,
} from '../../src/protocol/request/headers.ts'
import { grantFor } from '../../src/protocol/request/parse-request.fixture.ts'
import { parseExportQuery, parseExportRequest } from '../../src/protocol/request/parse-request.ts'
import { readScopeQuery } from '../../src/protocol/request/scope-query.ts'
import { unknownPatients, withoutUnknownPatients } from '../../src/protocol/request/unknown-patients.ts'
import { draftOf, draftOfLine } from '../../src/records/draft.ts'
import { bundleDrafts } from '../../src/records/load/bundle/bundle-drafts.ts'
import { planBundle } from '../../src/records/load/bundle/bundle-plan.ts'
import { parseBlock } from '../../src/records/load/rows/block-parser.ts'
import { SharedBuffers } from '../../src/records/load/shared-buffers.ts'
import { inflated } from '../../src/records/load/source/gzip-members.ts'
import { inputForm } from '../../src/records/load/source/input-form.ts'
import { lineBlocksOf, linesIn } from '../../src/records/load/source/source-lines.ts'
import { textAtHome } from '../../src/records/load/source-bases.ts'
import { recordedOf } from '../../src/records/provenance-age.ts'
import { brokenJson, bundles, lines, many, resources, type Shapes } from './shapes.ts'

/** A function that reads what others have written. */
export interface Parser {
  /** The file under `src/` that it is tested for; what that calls is tested with it. */
  readonly file: string
  readonly does: string
  /** Prepares an input, and gives the reading of it. */
  readonly reading: (input: never) => () => unknown
  readonly shapes: Shapes<unknown>
  /** Pieces of the smallest input, where the reader works otherwise below a bound of its own. */
  readonly from?: number
}

const parser = <Input>(
  file: string,
  does: string,
  shapes: Shapes<Input>,
  read: (input: Input) => unknown,
  prepare?: (input: Input) => Input,
): Parser => ({
  file,
  does,
  shapes,
  reading: (input: Input) => {
    const ready = prepare?.(input) ?? input
    return () => read(ready)
  },
})

/** A parser that is given something made of a text, which is no part of its work. */
const parserOf = <Input>(
  file: string,
  does: string,
  shapes: Shapes,
  prepare: (text: string) => Input,
  read: (input: Input) => unknown,
): Parser => ({
  file,
  does,
  shapes,
  reading: (text: string) => {
    const ready = prepare(text)
    return () => read(ready)
  },
})

const base = 'https://fhir.example.org/r4/clinic'
const bases = [base]
const everything = grantFor(documentedTypes)
const caller: Caller = {
  grant: { ...everything, canRead: () => true, readable: () => 'all', canWrite: () => true },
  tenant: 'clinic',
  base,
  profile: profiles.hl7,
}
const json = { ...resources('Basic'), ...brokenJson }
const wellFormed = resources('Basic')
const parsed = (text: string): JsonObject => JSON.parse(text) as JsonObject
const bytes = (text: string): Buffer => Buffer.from(text)

/** Shapes of what parses once is none: for functions that are given only what JSON.parse has accepted. */
const kickOffHeaders = { accept: 'application/fhir+json', contentType: 'application/json', prefer: ['respond-async'] }
const parameters = (piece: (at: number) => object) => (size: number) =>
  JSON.stringify({ resourceType: 'Parameters', parameter: many(size, piece) })
const kickOffs: Shapes = {
  ...json,
  patients: parameters((at) => ({ name: 'patient', valueReference: { reference: `Patient/${at}` } })),
  'one patient': parameters(() => ({ name: 'patient', valueReference: { reference: 'Patient/1' } })),
  'patients that are none': parameters((at) => ({ name: 'patient', valueReference: { reference: `Device/${at}` } })),
  types: parameters(() => ({ name: '_type', valueString: 'Condition' })),
  filters: parameters((at) => ({ name: '_typeFilter', valueString: `Condition?code=${at}` })),
  elements: parameters((at) => ({ name: '_elements', valueString: `x${at},id` })),
  'unknown names': parameters((at) => ({ name: `p${at}`, valueString: 'x' })),
  'values of all kinds': parameters((at) => ({ name: 'patient', [`valueX${at}`]: 1, [`valueY${at}`]: 2 })),
}

/** Pieces in which a file comes. */
async function* chunksOf(file: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < file.length; at += 1_024) yield file.subarray(at, at + 1_024)
}
const files: Shapes = {
  'many lines of a file': (size) => '{"resourceType":"Basic","id":"x"}\n'.repeat(size),
  'empty lines': (size) => '\n'.repeat(size),
  'one line': (size) => 'x'.repeat(size * 10),
}
const blocks: Shapes = {
  ...files,
  'records that are new': (size) => many(size, (at) => `{"resourceType":"Basic","id":"x${at}"}\n`).join(''),
  'Provenances of one patient': (size) =>
    many(size, (at) => `{"resourceType":"Provenance","id":"x${at}","target":[{"reference":"Patient/x"}]}\n`).join(''),
  'records and other lines': (size) => many(size, (at) => `{"resourceType":"Basic","id":"x${at}"}\n{\n`).join(''),
}
const parsing = { tenant: 't', bases: { own: bases, source: [] }, keepLastUpdated: true, lineBytesMax: 1_000_000 }
const members: Shapes = {
  'empty members': (size) => gzipSync('').toString('latin1').repeat(size),
  'members of a line': (size) => gzipSync('{}\n').toString('latin1').repeat(size),
  'one member': (size) => gzipSync('x'.repeat(size * 100)).toString('latin1'),
  padding: (size) => `${gzipSync('x').toString('latin1')}${'\0'.repeat(size)}`,
}

/** As many records with one identifier as are looked at. */
const store: StoreView = {
  identified: ({ type }) => many(1_000, (at) => ({ type, id: `s${at}`, version: 1 }) as never),
  has: () => false,
}
const stepsOf = (text: string) => (readEntries(text).entries ?? []).map((entry) => stepOf(entry, caller))

const owners = (size: number) =>
  many(size, (at) => ({
    owner: `p${(at * 7919) % size}`,
    bytes: at % 3 === 0 ? 80_000_000 : 1,
    ...{ inflated: 1, packed: 1, records: 1 },
  }))
const ids = { ids: (size: number) => many(size, (at) => `p${at}`) }
const request = (patients: readonly string[]) =>
  ({ patients, types: ['Patient'], filters: {}, base, provenance: 'relevant', lenient: true, warnings: [] }) as never

const lineAndResource = (text: string) => ({ line: bytes(text), resource: parsed(text) })

/** A query of a filter, and records to which it is put. */
const filtering = (query: string): Parser =>
  parserOf('filter/compile.ts', `puts records to ${query}`, resources('Observation'), lineAndResource, (each) => {
    const { queries } = parseTypeFilter([{ text: query, at: '' }], {
      types: undefined,
      exported: documentedTypes,
      switches: hl7Switches,
    })
    const filter = compileFilter(queries.get('Observation')!, { bases, now: new Date(0) })
    return [filter.matches(each.resource), filter.next(each.line, 0), filter.passes(each.line, 0, each.line.length)]
  })

const planned = (text: string, type: string) => {
  const plan = planBundle(text, type)
  return typeof plan === 'string' ? undefined : plan
}

/** Every reading of bodies, headers, queries, lines of files and stored rows. */
export const parsers: readonly Parser[] = [
  parser('fhir/json/json-excess.ts', 'counts what a body would cost', json, (text: string) =>
    jsonExcess(text, { depthMax: 1e9, valuesMax: 1e9 }),
  ),
  parser('fhir/json/json-fault.ts', 'tells where a body ceases to be JSON', json, (text: string) => jsonFault(text)),
  parser('fhir/json/json-verdict.ts', 'tells whether a body is JSON', json, (text: string) =>
    jsonVerdict(Buffer.from(text), { depthMax: 1_000, valuesMax: 1e9 }),
  ),
  parser('fhir/json/json-text.ts', 'finds members', wellFormed, (text: string) => membersOf(text)),
  parser('fhir/json/json-text.ts', 'finds a key that stands twice', wellFormed, (text: string) => repeatedKey(text)),
  parser('fhir/json/json-text.ts', 'brings a body onto one line', wellFormed, (text: string) => oneLine(`${text}\n`)),
  parser(
    'fhir/json/json-text.ts',
    'finds items',
    { items: (size: number) => `[${'1,'.repeat(size)}1]` },
    (text: string) => itemsOf(text, 0),
  ),
  parserOf('fhir/resource-scanner.ts', 'scans a line of a file', json, bytes, (line) =>
    new ResourceScanner().scan(line),
  ),
  parser('fhir/resource-text.ts', 'reads a body', json, (text: string) => readResourceText(text)),
  parser('fhir/resource-text.ts', 'reads a body and gives it an id', wellFormed, (text: string) =>
    readResourceText(text, 'other'),
  ),
  parser('fhir/resource-text.ts', 'reads a stored line and writes it again', wellFormed, (text: string) => {
    const stored = storedText(text)
    return [digestOf(stored), storedLine(stored, 1, 0)]
  }),
  parser('fhir/subset-text.ts', 'leaves members out', wellFormed, (text: string) =>
    subsetText(storedLine(storedText(text), 1, 0).toString(), (name) => name.length % 2 === 0),
  ),
  parser('fhir/relations/attachment-urls.ts', 'makes URLs absolute', wellFormed, (text: string) => [
    attachmentRefs(Buffer.from(text), 'Basic', ['https://a.example.org']),
    withAbsoluteUrls(storedLine(storedText(text.replaceAll('a', 'Binary')), 1, 0), 'https://a.example.org'),
  ]),
  parser('fhir/security-context.ts', 'finds what decides who reads', wellFormed, (text: string) =>
    securityContextOf(storedLine(storedText(text), 1, 0), ['https://a.example.org']),
  ),
  parserOf('fhir/modifier-extension.ts', 'looks for modifier extensions', wellFormed, parsed, (resource) =>
    modifierExtensionIn(resource, 'Basic'),
  ),
  parser('fhir/instant.ts', 'reads an instant', lines, (text: string) => parseInstant(text)),
  parser('fhir/reference.ts', 'reads a reference', lines, (text: string) => localReference(text, bases)),
  parser('fhir/open-reference.ts', 'notes a reference', lines, (text: string) => [
    notedReference(text, bases),
    readOpen(`? ${text}`),
  ]),
  parser('fhir/bundle/bundle-entries.ts', 'takes a Bundle apart', bundles('batch'), readEntries),
  parserOf(
    'fhir/bundle/bundle-identities.ts',
    'tells who is who',
    bundles('batch'),
    (text) =>
      readEntries(text).entries!.map(({ fullUrl, index }) => ({
        fullUrl,
        stated: `Condition/${index}`,
        key: `${index}`,
      })),
    (entries) => {
      const identities = new BundleIdentities(entries)
      return entries.map(({ fullUrl }) => [
        identities.resolve(fullUrl ?? 'Condition/1', fullUrl),
        identities.isAmbiguous(fullUrl ?? 'Condition/1', undefined),
        identities.isDuplicate(fullUrl ?? ''),
      ])
    },
  ),
  parser('fhir/bundle/bundle-identities.ts', 'reads a fullUrl', lines, (text: string) => [rootOf(text), endOf(text)]),
  parser('fhir/bundle/identifier-query.ts', 'reads a condition', lines, (text: string) => [
    readIdentifierQuery(text),
    readIdentifierSearch('Patient', text),
  ]),
  parser('fhir/bundle/reference-text.ts', 'finds and renames references', wellFormed, (text: string) => [
    referencesIn(text),
    renameReferences(text, (name) => `${name}x`),
  ]),
  parser('fhir/bundle/same-but-resolved.ts', 'compares a record with its source', wellFormed, (text: string) =>
    resolutionsIn(text, text, 'x'),
  ),
  parser(
    'records/draft.ts',
    'makes a draft of a body',
    { ...resources('Provenance'), ...resources('Group'), ...json },
    (text: string) => draftOf(text, bases),
  ),
  {
    ...parserOf(
      'records/draft.ts',
      'makes a draft of a line',
      { ...resources('Patient'), ...brokenJson },
      bytes,
      (line) => draftOfLine(line, bases),
    ),
    // More keys than a scan keeps apart: such a line is parsed.
    from: 600,
  },
  parserOf('records/load/source/source-lines.ts', 'cuts a file into lines', files, bytes, async (file) => {
    for await (const block of lineBlocksOf(chunksOf(file), new SharedBuffers(), 4_096, 1_000_000))
      for (const _ of linesIn(block, 1_000_000));
  }),
  parserOf('records/load/rows/block-parser.ts', 'makes rows of lines', blocks, bytes, (block) =>
    parseBlock({ bytes: block, tooLong: false }, parsing, 0, new SharedBuffers().take(0)),
  ),
  parserOf(
    'records/load/source/gzip-members.ts',
    'inflates members',
    members,
    (text) => Buffer.from(text, 'latin1'),
    async (file) => {
      for await (const _ of inflated(chunksOf(file), 1_024));
    },
  ),
  ...(['transaction', 'batch'] as const).map((type) =>
    parserOf(
      'http/records/bundle/plan.ts',
      `plans a ${type}`,
      bundles(type),
      (text) => stepsOf(text),
      (steps) => planOf(steps, store, type, bases),
    ),
  ),
  parser('http/records/bundle/entry-step.ts', 'understands the entries of a Bundle', bundles('batch'), (text: string) =>
    stepsOf(text),
  ),
  parserOf('http/records/bundle/decision.ts', 'decides what entries do', bundles('batch'), stepsOf, (steps) =>
    decisionsOf(steps, noView, new AskedIdentifiers(questionsOf(steps).queries)),
  ),
  ...(['transaction', 'history', 'collection'] as const).map((type) =>
    parser('records/load/bundle/bundle-plan.ts', `takes a ${type} of a file apart`, bundles(type), (text: string) =>
      planBundle(text, type),
    ),
  ),
  ...(['transaction', 'history'] as const).map((type) =>
    parserOf(
      'records/load/bundle/bundle-drafts.ts',
      `makes drafts of a ${type} of a file`,
      bundles(type),
      (text) => planned(text, type),
      (plan) =>
        plan &&
        bundleDrafts(
          plan.entries,
          new Map(),
          plan.refused.flatMap(({ lost }) => lost),
          type === 'history',
          { own: bases, source: bases },
        ),
    ),
  ),
  parser('records/load/source-bases.ts', 'brings references home', wellFormed, (text: string) =>
    textAtHome(text, { own: bases, source: ['http://x/fhir'] }),
  ),
  parser('records/load/source/input-form.ts', 'tells lines from one text', { ...json, ...lines }, (text: string) =>
    inputForm(text, true, undefined),
  ),
  parser('protocol/request/parse-request.ts', 'reads a kick-off', kickOffs, (body: string) =>
    parseExportRequest({ level: 'patient', headers: kickOffHeaders, query: {}, base, body }, everything, profiles.hl7),
  ),
  ...profileNames.map((name) =>
    parser('protocol/request/parse-request.ts', `reads the query of a kick-off (${name})`, lines, (text: string) =>
      parseExportQuery(
        {
          level: 'system',
          headers: { accept: text, contentType: text, prefer: [text] },
          query: Object.fromEntries(
            ['_type', '_typeFilter', '_elements', '_since', '_outputFormat', text.slice(0, 99)].map((name) => [
              name,
              [text, text],
            ]),
          ),
          base,
          hasBody: false,
        },
        everything,
        profiles[name],
      ),
    ),
  ),
  parser(
    'protocol/request/parse-request.ts',
    'reads a query of many names',
    { names: (size: number) => many(size, (at) => `n${at}`) },
    (names: string[]) =>
      parseExportQuery(
        {
          level: 'system',
          headers: kickOffHeaders,
          query: Object.fromEntries(names.map((name) => [name, [name, name]])),
          base,
          hasBody: false,
        },
        everything,
        profiles.hl7,
      ),
  ),
  parser('protocol/request/headers.ts', 'reads headers', lines, (text: string) => [
    acceptsFile(text),
    checkAccept(text, profiles.millennium),
    checkContentType(text),
    checkPrefer(parsePrefer([text, text]), profiles.millennium),
  ]),
  parser('protocol/request/scope-query.ts', 'reads the query of a scope', lines, (text: string) =>
    readScopeQuery('Condition', text),
  ),
  parser('protocol/request/unknown-patients.ts', 'leaves out who is unknown', ids, (patients: string[]) => [
    unknownPatients(request(patients), new Set()),
    withoutUnknownPatients(request(patients), new Set(patients.slice(1))),
  ]),
  parser('protocol/client-text.ts', 'quotes', lines, (text: string) => quoted(text)),
  parserOf('protocol/plan/group-members.ts', 'tells who is in a Group', resources('Group'), parsed, (group) =>
    groupMembers(group, { bases, at: 0 }),
  ),
  parser('protocol/plan/joined-parts.ts', 'puts parts together', { owners }, (sizes: ReturnType<typeof owners>) =>
    joinParts(
      sizes.map(({ owner }) => ({
        id: owner,
        kind: 'output',
        type: 'Patient',
        gzipBytes: 1,
        crc: 1,
        continues: false,
      })),
    ),
  ),
  parser('protocol/plan/member-period.ts', 'reads a period', lines, (text: string) =>
    periodHolds({ start: text, end: text }, 0n),
  ),
  parser('protocol/plan/open-references.ts', 'tells of open references', ids, (names: string[]) =>
    openReferenceIssues(names.map((name) => `! ${name}`)),
  ),
  parser('protocol/plan/planned-partitions.ts', 'cuts partitions', { owners }, (sizes: ReturnType<typeof owners>) =>
    planPartitions(sizes),
  ),
  parser(
    'protocol/plan/unlisted-plan.ts',
    'cuts partitions as owners come',
    { owners },
    (sizes: ReturnType<typeof owners>) => {
      const plan = new UnlistedPlan()
      return [sizes.map((size) => plan.add([size])), plan.end()]
    },
  ),
  ...[hl7Switches, millenniumSwitches].map((switches) =>
    parser(
      'filter/parse/parse.ts',
      `reads _typeFilter (${switches === hl7Switches ? 'hl7' : 'millennium'})`,
      lines,
      (text: string) =>
        parseTypeFilter([{ text, at: '' }], { types: ['Condition', 'Observation'], exported: [], switches }),
    ),
  ),
  parser('filter/query-text.ts', 'cuts queries', lines, (text: string) => [
    cutQueries(text),
    cutUnescaped(text, '|'),
    isWellEscaped(text),
    unescaped(text),
  ]),
  parser('filter/match/span.ts', 'reads a date', lines, (text: string) => spanOf(text)),
  parser('filter/match/decimal.ts', 'reads a number', lines, (text: string) => readDecimal(text)),
  parser('filter/ucum/unit.ts', 'reads a unit', lines, (text: string) => unitOf(text)),
  filtering('Observation?code=a,b,s|c'),
  filtering('Observation?code:not=a'),
  filtering('Observation?code:text=a'),
  filtering('Observation?value-quantity=gt5||mg'),
  filtering('Observation?subject=Patient/1'),
  filtering('Observation?date=ge2020'),
  filtering('Observation?identifier=s|1'),
  filtering('Observation?code:missing=true'),
  parser('files/byte-range.ts', 'reads Range', lines, (text: string) => parseRange(text, 1_000)),
  parser('access/scope.ts', 'reads scopes', lines, (text: string) => [
    scopeList(text).map(parseScope),
    grantOf('t', 'c', scopeList(text), { wildcards: true }),
  ]),
  ...(['system/*.cruds', 'system/Condition.rs?category=a system/Condition.rs?category=b'] as const).map((registered) =>
    parser('access/granted-scope.ts', `decides on scopes beside ${registered}`, lines, (text: string) =>
      decideScopes(scopeList(text), scopeList(registered), { wildcards: true }),
    ),
  ),
  parser('access/network-of.ts', 'reads an address', lines, (text: string) => networkOf(text)),
  parser('access/bearer.ts', 'finds a bearer token', lines, (text: string) => [
    bearerTokenOf(`Bearer ${text}`),
    bearerTokenOf(text),
  ]),
  parser('access/tokens/posted-form.ts', 'reads a form', lines, (text: string) =>
    readForm({ contentType: 'application/x-www-form-urlencoded', body: text, authorization: text, address: '' }),
  ),
  parser('access/tokens/claimed-client.ts', 'tells who says who it is', lines, (text: string) => [
    claimedClient({ body: `client_assertion=${text}`, authorization: text }),
    claimedClient({ body: text, authorization: undefined }),
  ]),
  parser('access/tokens/client-authentication.ts', 'reads Basic', lines, (text: string) =>
    readBasic(`Basic ${Buffer.from(text).toString('base64')}`),
  ),
  parser('access/issuers/outside-issuers.ts', 'tells the issuer of a token', lines, (text: string) =>
    issuerNamed(text),
  ),
  parser('access/issuers/foreign-claims.ts', 'reads the claims of another issuer', { ...lines }, (text: string) =>
    readForeignClaims(
      { iss: text, sub: text, aud: text, scope: text, client_id: text, scp: text.split(' ') } as never,
      {
        audience: 'a',
        foreignTenant: undefined,
      } as never,
    ),
  ),
  parser(
    'access/registry/client-key-set.ts',
    'reads a key set',
    { keys: (size: number) => ({ keys: many(size, (at) => ({ kid: `${at}` })) }) },
    (document: object) => keysOf(document),
  ),
  parser('audit/search-query.ts', 'reads a search of the audit trail', lines, (text: string) =>
    parseAuditQuery({ date: text.split(','), _count: text, page: text }),
  ),
  parser(
    'audit/search-query.ts',
    'reads a search of many names',
    { names: (size: number) => many(size, (at) => `n${at}`) },
    (names: string[]) => parseAuditQuery(Object.fromEntries(names.map((name) => [name, name]))),
  ),
  parser('http/records/resource-body.ts', 'reads If-Match', lines, (text: string) => ifMatchVersion(text)),
  parser('http/records/request-condition.ts', 'finds the query of a URL', lines, (text: string) =>
    queryOf({ raw: { url: `/r4/t/Patient?${text}` } } as never),
  ),
  parserOf(
    'records/provenance-age.ts',
    'finds when a Provenance was recorded',
    resources('Provenance'),
    bytes,
    (line) => recordedOf(line),
  ),
  parser(
    'client/manifest.ts',
    'reads a manifest',
    {
      files: (size: number) => manifest(many(size, (at) => ({ type: 'Patient', url: `http://x/${at}` }))),
      types: (size: number) =>
        manifest(many(size, (at) => ({ type: `T${'a'.repeat(at % 60)}`, url: `http://x/${at}` }))),
    },
    (body: object) => parseManifest(body, new URL('http://x/')),
  ),
  parser('client/session/outcome.ts', 'reads what a server says', { ...json, ...lines }, (text: string) => [
    issuesIn(text),
    plainText(text),
  ]),
  parser('client/session/waiting.ts', 'reads Retry-After', lines, (text: string) => retryAfterMs(text, 0)),
  parser('client/order.ts', 'reads a list of patients', lines, (text: string) => parsePatients(text)),
  parser('client/download/inspection.ts', 'inspects a file', { ...json, ...files }, (text: string) => {
    const inspection = inspect({ kind: 'output', type: 'Basic', url: new URL('http://x/'), count: 1, stem: 'x' })
    const file = Buffer.from(text)
    for (let at = 0; at < file.length; at += 1_024) inspection.take(file.subarray(at, at + 1_024))
    inspection.take(undefined)
    return inspection.findings()
  }),
  parser('cli/masked-password.ts', 'masks passwords', lines, (text: string) =>
    maskPasswords(`postgresql://a:b@c/${text}`),
  ),
]

function manifest(output: readonly object[]): object {
  return { transactionTime: '2020-01-01T00:00:00Z', request: 'http://x/', requiresAccessToken: true, output, error: [] }
}

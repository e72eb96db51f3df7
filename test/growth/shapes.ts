/** Texts that grow with a size, each of which would like to be expensive for whoever reads it. */
export type Shapes<Input = string> = Readonly<Record<string, (size: number) => Input>>

/** One piece for each number below the size. */
export const many = <Piece>(size: number, piece: (at: number) => Piece): Piece[] =>
  Array.from({ length: size }, (_, at) => piece(at))

const list = (size: number, piece: (at: number) => string, separator = ','): string => many(size, piece).join(separator)

/** Members of a JSON object; each shape closes what it opens. */
const members: Shapes = {
  'many members': (size) => list(size, (at) => `"k${at}":1`),
  'one member again and again': (size) => list(size, () => '"k":1'),
  'many members, of which the last is there twice': (size) => `${list(size, (at) => `"k${at}":1`)},"k${size - 1}":2`,
  'many members with escapes, of which the last is there twice': (size) =>
    `${list(size, (at) => `"k\\u0041${at}":1`)},"kA${size - 1}":2`,
  'objects within an array': (size) => `"a":[${list(size, (at) => `{"b":${at},"c":"x"}`)}]`,
  'empty objects': (size) => `"a":[${list(size, () => '{}')}]`,
  'arrays of one': (size) => `"a":[${list(size, () => '[[[[1]]]]')}]`,
  'objects of objects': (size) => `"a":[${list(size, () => '{"a":{"a":{"a":{}}}}')}]`,
  'a long string': (size) => `"a":"${'x'.repeat(size)}"`,
  'a string of escapes': (size) => `"a":"${'\\\\'.repeat(size)}"`,
  'a string of quotes': (size) => `"a":"${'\\"'.repeat(size)}"`,
  'a string of code points': (size) => `"a":"${'\\ud83d\\ude00'.repeat(size)}"`,
  'a string beyond ASCII': (size) => `"a":"${'é'.repeat(size)}"`,
  'a long key': (size) => `"${'k'.repeat(size)}":1`,
  'a long number': (size) => `"a":1${'0'.repeat(size)}`,
  'many blanks': (size) => `"a" ${' '.repeat(size)}: 1`,
  'many lines': (size) => `"a":[1${',\n1'.repeat(size)}]`,
  'many references': (size) => `"a":[${list(size, (at) => `{"reference":"Patient/${at}"}`)}]`,
  'many versions of references': (size) =>
    `"a":[${list(size, (at) => `{"reference":"http://x/fhir/Patient/${at}/_history/${at}"}`)}]`,
  'a reference of slashes': (size) => `"a":{"reference":"http://x${'/Aa/b'.repeat(size)}"}`,
  'conditional references': (size) => `"a":[${list(size, (at) => `{"reference":"Patient?identifier=s|${at}"}`)}]`,
  'a condition of escapes': (size) => `"a":{"reference":"Patient?identifier=s|${'\\\\,'.repeat(size)}"}`,
  'many identifiers': (size) => `"identifier":[${list(size, (at) => `{"system":"s","value":"${at}"}`)}]`,
  'many targets': (size) => `"target":[${list(size, (at) => `{"reference":"Patient/${at}"}`)}]`,
  'many tags': (size) => `"meta":{"tag":[${list(size, (at) => `{"system":"s","code":"${at}"}`)}]}`,
  'many members of meta': (size) => `"meta":{${list(size, (at) => `"m${at}":1`)}}`,
  'many links': (size) => `"text":{"div":"<div>${"<a href='#x'>".repeat(size)}</div>"}`,
  'half links': (size) => `"text":{"div":"<div>${'href = src = \\"'.repeat(size)}</div>"}`,
  'blanks behind href': (size) => `"text":{"div":"href${' '.repeat(size)}"}`,
  'many modifier extensions': (size) => `"a":[${list(size, () => '{"modifierExtension":[]}')}]`,
  'many members of a Group': (size) => `"member":[${list(size, (at) => `{"entity":{"reference":"Patient/${at}"}}`)}]`,
  'many periods': (size) =>
    `"member":[${list(size, () => '{"entity":{"reference":"Patient/1"},"period":{"start":"2020","end":"2021-01-01"}}')}]`,
  'many members by identifier': (size) =>
    `"member":[${list(size, (at) => `{"entity":{"identifier":{"system":"s","value":"${at}"}}}`)}]`,
}

const resource = (type: string, inside: string): string => `{"resourceType":"${type}","id":"x",${inside}}`

/** Resources of a type. */
export const resources = (type: string): Shapes =>
  Object.fromEntries(Object.entries(members).map(([name, of]) => [name, (size) => resource(type, of(size))]))

/** What is no JSON, or ceases to be. */
export const brokenJson: Shapes = {
  'open arrays': (size) => '['.repeat(size),
  'open objects': (size) => '{"a":'.repeat(size),
  'a string without an end': (size) => `{"a":"${'x'.repeat(size)}`,
  'open escapes': (size) => `{"a":"${'\\'.repeat(size * 2 + 1)}`,
  'many commas': (size) => `[${','.repeat(size)}]`,
  'many quotes': (size) => '"'.repeat(size),
  'many colons': (size) => `{"a"${':'.repeat(size)}}`,
  'many lines and a fault': (size) => `[${'1,\n'.repeat(size)}`,
  'digits without an end': (size) => `{"a":-${'1'.repeat(size)}`,
}

/** Bundles of many entries. */
export const bundles = (type: string): Shapes => {
  const bundle = (size: number, entry: (at: number) => object | string): string =>
    `{"resourceType":"Bundle","type":"${type}","entry":[${list(size, (at) => {
      const made = entry(at)
      return typeof made === 'string' ? made : JSON.stringify(made)
    })}]}`
  const condition = (at: number, more: object = {}) => ({ resourceType: 'Condition', id: `c${at}`, ...more })
  const post = (type: string, more: object = {}) => ({ method: 'POST', url: type, ...more })
  const urn = (at: number) => `urn:uuid:00000000-0000-4000-8000-${String(at).padStart(12, '0')}`
  return {
    'many entries': (size) =>
      bundle(size, (at) => ({ fullUrl: urn(at), resource: condition(at), request: post('Condition') })),
    'empty entries': (size) => bundle(size, () => '{}'),
    'entries that are none': (size) => bundle(size, () => '1'),
    'members that stand twice': (size) => bundle(size, () => '{"request":{"a":1,"a":2}}'),
    'one fullUrl for all': (size) =>
      bundle(size, (at) => ({ fullUrl: urn(0), resource: condition(at), request: post('Condition') })),
    'a chain of references': (size) =>
      bundle(size, (at) => ({
        fullUrl: urn(at),
        resource: condition(at, { subject: { reference: urn(at + 1) } }),
        request: post('Condition'),
      })),
    'everybody refers to one that is refused': (size) =>
      bundle(size, (at) => ({
        fullUrl: urn(at),
        resource: condition(
          at,
          at === 0 ? { identifier: many(size, () => ({ value: 1 })) } : { subject: { reference: urn(0) } },
        ),
        request: at === 0 ? { method: 'PATCH', url: 'x' } : post('Condition'),
      })),
    'one that refers to all': (size) =>
      bundle(size, (at) => ({
        fullUrl: urn(at),
        resource: condition(at, at === 0 ? { evidence: many(size, (other) => ({ reference: urn(other) })) } : {}),
        request: post('Condition'),
      })),
    'one record again and again': (size) =>
      bundle(size, () => ({ resource: condition(0), request: { method: 'PUT', url: 'Condition/c0' } })),
    'many deletes': (size) => bundle(size, (at) => ({ request: { method: 'DELETE', url: `Condition/c${at}` } })),
    'many roots': (size) =>
      bundle(size, (at) => ({
        fullUrl: `http://h${at}/fhir/Condition/c${at}`,
        resource: condition(at, { subject: { reference: 'Patient/p' } }),
        request: { method: 'PUT', url: `Condition/c${at}` },
      })),
    'conditional creates of one identifier': (size) =>
      bundle(size, () => ({
        fullUrl: undefined,
        resource: { resourceType: 'Patient', identifier: [{ system: 's', value: '1' }] },
        request: post('Patient', { ifNoneExist: 'identifier=s|1' }),
      })),
    'creates of one identifier, then conditional ones': (size) =>
      bundle(size, (at) => ({
        resource: { resourceType: 'Patient', identifier: [{ system: 's', value: '1' }] },
        request: post('Patient', at * 2 < size ? {} : { ifNoneExist: 'identifier=s|1' }),
      })),
    'creates of one identifier, then conditional updates': (size) =>
      bundle(size, (at) => ({
        resource: { resourceType: 'Patient', identifier: [{ system: 's', value: '1' }] },
        request: at * 2 < size ? post('Patient') : { method: 'PUT', url: 'Patient?identifier=s|1' },
      })),
    'creates of one identifier, and references by it': (size) =>
      bundle(size, (at) => ({
        resource:
          at * 2 < size
            ? { resourceType: 'Patient', identifier: [{ system: 's', value: '1' }] }
            : condition(at, { subject: { reference: 'Patient?identifier=s|1' } }),
        request: post(at * 2 < size ? 'Patient' : 'Condition'),
      })),
    'many conditional deletes': (size) =>
      bundle(size, (at) => ({ request: { method: 'DELETE', url: `Patient?identifier=s|${at}` } })),
    'long request URLs': (size) => bundle(10, () => ({ request: { method: 'GET', url: 'Patient/x'.repeat(size) } })),
    'a Provenance for all': (size) =>
      bundle(size, (at) => ({
        fullUrl: urn(at),
        resource:
          at === 0
            ? { resourceType: 'Provenance', target: many(size, (other) => ({ reference: urn(other) })) }
            : condition(at),
        request: post(at === 0 ? 'Provenance' : 'Condition'),
      })),
  }
}

/** Headers, queries and other texts of one line. */
export const lines: Shapes = {
  commas: (size) => ','.repeat(size),
  semicolons: (size) => ';'.repeat(size),
  blanks: (size) => `a${' '.repeat(size)}b`,
  quotes: (size) => '"'.repeat(size),
  'quotes of escapes': (size) => `"${'\\"'.repeat(size)}`,
  backslashes: (size) => '\\'.repeat(size),
  weights: (size) => list(size, (at) => `a/b;q=0.${at}`),
  'gzip with weights': (size) => list(size, () => 'gzip;q=0', ', '),
  'open quotes and lists': (size) => '",;='.repeat(size),
  queries: (size) => list(size, (at) => `Condition?code=${at}`),
  'query starts': (size) => 'A?,'.repeat(size),
  'half query starts': (size) => `,${'A'.repeat(size)}`,
  values: (size) => `Condition?code=${list(size, (at) => `s|${at}`)}`,
  'one value': (size) => `Observation?value-quantity=${'1'.repeat(size)}|s|u`,
  dollars: (size) => `Observation?code-value-quantity=${'$'.repeat(size)}`,
  parameters: (size) => `Condition?${list(size, (at) => `code=${at}`, '&')}`,
  'plus signs': (size) => `Observation?date=${'T11:11+'.repeat(size)}`,
  'digits and a plus sign': (size) => `Observation?date=T${'1'.repeat(size)}+`,
  'percent signs': (size) => `identifier=${'%'.repeat(size)}`,
  'encoded characters': (size) => `identifier=s|${'%C3%A9'.repeat(size)}`,
  bars: (size) => `identifier=${'|'.repeat(size)}`,
  'escaped bars': (size) => `identifier=${'\\|'.repeat(size)}`,
  ampersands: (size) => '&'.repeat(size),
  'names and values': (size) => list(size, (at) => `n${at}=v`, '&'),
  'one name': (size) => list(size, () => 'n=v', '&'),
  dots: (size) => '.'.repeat(size),
  colons: (size) => ':'.repeat(size),
  slashes: (size) => `http://x${'/A'.repeat(size)}`,
  'a path of types': (size) => `http://x${'/Aa/b'.repeat(size)}/_history/1`,
  scopes: (size) => list(size, () => 'system/*.rs', ' '),
  'scopes with queries': (size) => list(size, (at) => `system/Condition.rs?code=${at}`, ' '),
  'parts of one query of a scope': (size) => `system/Condition.rs?${list(size, (at) => `code=${at}`, '&')}`,
  'a range': (size) => `bytes=0-${'9'.repeat(size)}`,
  ranges: (size) => `bytes=${list(size, (at) => `${at}-${at}`)}`,
  tags: (size) => list(size, (at) => `W/"${at}"`),
  zeros: (size) => `2020-01-01T00:00:00.${'0'.repeat(size)}Z`,
  'a unit': (size) => `${'m.'.repeat(size)}m`,
  'brackets of a unit': (size) => '('.repeat(size),
  'an exponent': (size) => `1e${'9'.repeat(size)}`,
  'lines of ids': (size) => list(size, (at) => `Patient/${at} # x`, '\n'),
  hashes: (size) => '#'.repeat(size),
  'JSON Web Tokens': (size) => `${'e'.repeat(size)}.${'e'.repeat(size)}.${'e'.repeat(size)}`,
  'control characters': (size) => '\u0001\u200b '.repeat(size),
}

import { describe } from 'node:test'
import { sharp, unknown } from './sharp.fixture.ts'

describe('strings', () => {
  sharp(
    'Condition',
    {
      mueller: { onsetString: 'Müller' },
      plain: { onsetString: 'mullerin' },
      decomposed: { onsetString: 'Mu\u0308ller' },
      inside: { onsetString: 'von Müller' },
      sharpS: { onsetString: 'Straße 1' },
      capital: { onsetString: 'STRASSE 2' },
      greek: { onsetString: 'Σίσυφος' },
      dotted: { onsetString: 'İstanbul' },
      comma: { onsetString: 'a, b' },
      percent: { onsetString: '100% & more' },
      blank: { onsetString: ' lead' },
      number: { onsetString: 5 },
      unknown: { _onsetString: unknown },
    },
    [
      ['the beginning, without case and accents', 'onset-info=muller', 'mueller plain decomposed'],
      ['accents in the value do not count either', 'onset-info=MÜLLER', 'mueller plain decomposed'],
      ['not inside', 'onset-info=ller', ''],
      [':contains', 'onset-info:contains=ller', 'mueller plain decomposed inside'],
      [':contains without case and accents', 'onset-info:contains=MULLER', 'mueller plain decomposed inside'],
      [':exact', 'onset-info:exact=Müller', 'mueller'],
      [':exact in its other form', 'onset-info:exact=Mu\u0308ller', 'decomposed'],
      [':exact is the whole text', 'onset-info:exact=Mül', ''],
      ['a sharp s', 'onset-info=strasse', 'sharpS capital'],
      ['a sharp s in the value', 'onset-info=straße', 'sharpS capital'],
      ['a final sigma', 'onset-info=σισυφοσ', 'greek'],
      ['a dotted capital', 'onset-info=istanbul', 'dotted'],
      ['an escaped comma', 'onset-info=a\\, b', 'comma'],
      ['a comma is or', 'onset-info=a,von', 'inside comma'],
      ['blanks around a value do not count', 'onset-info=x, von', 'inside', 'own'],
      ['but with :exact they do', 'onset-info:exact= lead', 'blank'],
      ['and with :contains', 'onset-info:contains= m', 'inside percent', 'own'],
      ['encoded characters', 'onset-info=100%25%20%26', 'percent', 'own'],
      ['a number is no text', 'onset-info=5', ''],
      ['missing', 'onset-info:missing=true', 'unknown'],
    ],
  )
})

describe('names, addresses and displays', () => {
  sharp(
    'Patient',
    {
      family: { name: [{ use: 'official', family: 'Peña', given: ['José', 'Luis'] }] },
      text: { name: [{ text: 'Luis Peña' }], address: [{ text: 'Am Markt', use: 'home' }] },
      second: { name: [{ family: 'Other' }, { prefix: ['Dr.'], suffix: ['Luis'] }] },
      city: { address: [{ line: ['1 Main St', 'Apt 2'], city: 'Homer', country: 'US' }] },
      sparse: { name: [{ given: [null, 'Ana'], _given: [unknown, null] }] },
      silent: { name: [{ _family: unknown }] },
    },
    [
      ['any part of a name', 'name=pena', 'family'],
      ['given names each', 'name=luis', 'family text second'],
      ['only family names', 'family=pena', 'family'],
      ['only given names', 'given=luis', 'family'],
      ['a given name after one that is unknown', 'given=ana', 'sparse'],
      ['the use of a name is no text', 'name=official', ''],
      ['any part of an address', 'address=apt', 'city'],
      ['the use of an address is no text', 'address=home', 'city'],
      ['its city', 'address-city=homer', 'city'],
      ['missing', 'family:missing=true', 'text city sparse silent'],
      ['missing address', 'address:missing=true', 'family second sparse silent'],
    ],
  )
  sharp(
    'Device',
    {
      named: { deviceName: [{ name: 'Pump', type: 'model-name' }] },
      displayed: { type: { coding: [{ display: 'Infusion pump' }, { display: 'Pump, infusion' }] } },
      texted: { type: { text: 'Pump' } },
    },
    [
      ['name, display or text of the type', 'device-name=pump', 'named displayed texted'],
      [':contains', 'device-name:contains=infusion', 'displayed'],
      [':exact', 'device-name:exact=Pump', 'named texted'],
    ],
  )
  sharp(
    'Observation',
    {
      text: { valueString: 'Yellow' },
      concept: { valueCodeableConcept: { text: 'yellow', coding: [{ display: 'Yellowish' }] } },
    },
    [
      ['value-string: the text of a concept too, not its display', 'value-string=yellow', 'text concept'],
      ['not the display', 'value-string=yellowi', ''],
      ['code-value-string needs the string', 'value-string:exact=yellow', 'concept'],
    ],
  )
})

describe('what is common to all types', () => {
  sharp(
    'Observation',
    {
      tagged: {
        meta: {
          tag: [{ system: 'http://a.example', code: 'x' }],
          profile: ['http://a.example/P|1'],
          source: 'http://a.example#1',
        },
      },
      secure: { meta: { security: [{ code: 'R' }], lastUpdated: '2020-01-01T00:00:00.000Z' } },
      none: {},
    },
    [
      ['_tag', '_tag=http://a.example|x', 'tagged'],
      ['_security', '_security=R', 'secure'],
      ['_profile is exact', '_profile=http://a.example/P', ''],
      ['_profile with version', '_profile=http://a.example/P|1', 'tagged'],
      ['_profile:below', '_profile:below=http://a.example/P', 'tagged'],
      ['_source', '_source=http://a.example%231', 'tagged'],
      ['_id', '_id=none,secure', 'secure none'],
      ['_id, case counts', '_id=NONE', ''],
      ['_lastUpdated', '_lastUpdated=ge2020', 'secure'],
      ['_lastUpdated:missing', '_lastUpdated:missing=true', 'tagged none'],
    ],
  )
})

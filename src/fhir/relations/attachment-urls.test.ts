import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { draftOf, draftOfLine } from '../../records/draft.ts'
import { attachmentRefs, relativeUrls, withAbsoluteUrls } from './attachment-urls.ts'

const base = 'https://here.example.org/r4/clinic'
const refsOf = (text: string, type = 'Basic') => attachmentRefs(Buffer.from(text), type, [base])
const absolute = (text: string) => withAbsoluteUrls(Buffer.from(text), base).toString()
const attached = (url: string) => `{"resourceType":"Media","id":"m","content":{"url":${url}}}`

describe('URLs of Attachments', () => {
  const forms = [
    ['"Binary/b"', `"${base}/Binary/b"`],
    ['"Binary\\/b"', `"${base}/Binary\\/b"`],
    ['"\\u0042inary/b"', `"${base}/\\u0042inary/b"`],
    ['"Binary/b/_history/3"', `"${base}/Binary/b/_history/3"`],
  ] as const
  for (const [relative, whole] of forms) {
    it(`that are relative, ${relative}, are noted, and get the base before them`, () => {
      assert.deepEqual(refsOf(attached(relative)), ['Binary/b', relativeUrls])
      assert.equal(absolute(attached(relative)), attached(whole))
    })
  }

  it('under the base are noted alone, and stay', () => {
    for (const url of [`"${base}/Binary/b"`, `"${base.replaceAll('/', '\\/')}\\/Binary/b"`]) {
      assert.deepEqual(refsOf(attached(url)), ['Binary/b'])
      assert.equal(absolute(attached(url)), attached(url))
    }
  })

  it('that lead elsewhere, and what only looks like them, stay and are not noted', () => {
    const others = [
      ...[
        '"https://there.example.org/Binary/b"',
        '"Binary/"',
        '"Binary/b/c"',
        '"Binary/b?x"',
        '"DocumentReference/b"',
      ].map(attached),
      ...['"urn:uuid:Binary"', '"#Binary/b"', '{"url":"Binary/b"}', '["Binary/b"]', 'null', '7'].map(attached),
      '{"url":"Binary/b"}',
      '{"extension":[{"url":"Binary/b","valueUrl":"Binary/b"}]}',
      '{"relatedArtifact":[{"url":"Binary/b"}]}',
      '{"content":{"title":"\\"url\\":\\"Binary/b\\"","x":{"url":"Binary/b"}}}',
      '{"content":"Binary/b","text":{"div":"<a href=\\"Binary/b\\">url</a>"}}',
      '{"meta":{"content":{"url":"Binary/b"}}}',
    ]
    for (const text of others) {
      assert.deepEqual(refsOf(text), [], text)
      assert.equal(absolute(text), text)
    }
  })

  it('are found wherever the definitions have an Attachment, and everything else stays to the letter', () => {
    const text =
      ' {"é":"Binary", "photo" : [ {"url":"Binary/1","size":1.10}, {"_url":{"id":"x"},"url":"Binary/2"} ],"content":[{"attachment":{"url":"Binary/3"}}],' +
      '"presentedForm":[{"url":"Binary/1"}],"contained":[{"resourceType":"Media","content":{"url":"Binary/4"}}],' +
      '"extension":[{"url":"http://x","valueAttachment":{"url":"Binary/5"}}],"relatedArtifact":[{"document":{"url":"Binary/6"}}],"a":[],"b":{}}'
    const line = text.trim()
    assert.deepEqual(refsOf(line), [...[1, 2, 3, 4, 5, 6].map((n) => `Binary/${n}`), relativeUrls])
    assert.equal(absolute(line), line.replaceAll('"url":"Binary', `"url":"${base}/Binary`))
  })

  it('of the entries of a Bundle are left to who wrote it', () => {
    const entry = '{"entry":[{"request":{"url":"Binary/b"},"resource":{"photo":[{"url":"Binary/b"}]}}]}'
    assert.deepEqual(refsOf(entry, 'Bundle'), [])
  })

  it('are noted with the references of a record, whether it is parsed or scanned', () => {
    const text =
      '{"resourceType":"DocumentReference","id":"d","custodian":{"reference":"Organization/o"},"content":[{"attachment":{"url":"Binary/b"}}]}'
    for (const draft of [draftOf(text, [base]), draftOfLine(Buffer.from(text), [base]), draftOf(` ${text}`, [base])]) {
      assert.ok('text' in draft)
      assert.deepEqual(draft.refs, ['Organization/o', 'Binary/b', relativeUrls])
    }
  })
})

import { itemsOf, type Member, membersOf } from './json/json-text.ts'

const subsetted = '{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}'

/**
 * A stored line with only some of its root members, marked as incomplete by the tag `SUBSETTED` so that nobody takes it for the
 * whole record. What is kept is kept to the letter.
 */
export function subsetText(line: string, keeps: (member: string) => boolean): string {
  const kept = membersOf(line)!
    .filter(({ key }) => keeps(key))
    .map((member) => (member.key === 'meta' ? taggedMeta(line, member) : line.slice(member.start, member.valueEnd)))
  return `{${kept.join(',')}}`
}

/** The member `meta` with one more tag. A stored line's `meta` has at least `versionId`. */
function taggedMeta(line: string, meta: Member): string {
  const tag = membersOf(line, meta.valueStart)!.find(({ key }) => key === 'tag')
  if (tag === undefined || line[tag.valueStart] !== '[') {
    const end = meta.valueEnd - 1
    return tag === undefined
      ? `${line.slice(meta.start, end)},"tag":[${subsetted}]}`
      : `${line.slice(meta.start, tag.valueStart)}[${subsetted}]${line.slice(tag.valueEnd, meta.valueEnd)}`
  }
  const tags = itemsOf(line, tag.valueStart)!.map(([start, end]) => line.slice(start, end))
  const all = tags.some(isSubsetted) ? tags : [...tags, subsetted]
  return `${line.slice(meta.start, tag.valueStart)}[${all.join(',')}]${line.slice(tag.valueEnd, meta.valueEnd)}`
}

function isSubsetted(tag: string): boolean {
  const { system, code } = (JSON.parse(tag) ?? {}) as { system?: unknown; code?: unknown }
  return code === 'SUBSETTED' && system === 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue'
}

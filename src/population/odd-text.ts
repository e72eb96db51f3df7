import { Raw } from './json.ts'

/**
 * Strings that are legal in FHIR and JSON and that careless programs break, as JSON text: a record that holds one must come
 * out of a store byte for byte. The names say what each is.
 */
const oddTexts: Readonly<Record<string, string>> = {
  emoji: '"Left her reading glasses here 👓, daughter 👩🏽‍⚕️ will collect them 😀"',
  lineSeparator: '"First part\u2028second part after U+2028"',
  paragraphSeparator: '"First part\u2029second part after U+2029"',
  escapedSlashes: String.raw`"Take 1\/2 tablet; leaflet at https:\/\/example.org\/leaflet\/7"`,
  escapedLetters: String.raw`"Ren\u00e9e's caf\u00e9 visit went well \ud83d\ude00"`,
  newlines: String.raw`"Plan:\n- walk daily\r\n- review in six weeks\n\n\tsigned"`,
  quotes: String.raw`"Says \"no pain at all\", keeps notes in C:\\chart\\new"`,
  pastedRecord: String.raw`"Pasted by mistake: {\"resourceType\":\"Patient\",\"id\":\"0\",\"meta\":{\"versionId\":\"9\"}}"`,
  copyMarkers: String.raw`"Legacy export says \\N and \\. and \\x41 here"`,
  markup: '"<b>Caution</b> &amp; <script>alert(1)</script> \'); drop table record; -- $1 %s %00"',
  rightToLeft: '"Interpreter needed: المريضة تتكلم العربية ועברית"',
  ideographs: '"Family name is 𠮷野, written 吉野 elsewhere; 需要翻译"',
  combiningMarks: '"Pays a visit to Ze\u0301lie\u0301, not Zélié; zero\u200bwidth; no\u00a0break; e\ufeffnd"',
  braces: '"Ratio {a:[1,2]},{b} was written as ],}{[ on the form"',
  blankEdges: '"  two blanks at both ends  "',
}

export const oddTextNames: readonly string[] = Object.keys(oddTexts)

const raws: readonly Raw[] = Object.values(oddTexts).map((text) => new Raw(text))

/** The nth odd string, counting round. */
export const oddText = (n: number): Raw => raws[n % raws.length] as Raw

/** Patients between two that have the very long text. */
export const longTextEvery = 23
const longTextRepeats = 600
/** One string of about 50 kB. */
export const longText = new Raw(
  `"${'Dictated without a pause: the patient feels well, sleeps well, eats well and walks well. '.repeat(longTextRepeats)}"`,
)

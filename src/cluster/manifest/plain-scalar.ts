/**
 * What a plain (unquoted) YAML scalar means to Kubernetes. kubectl and the API server read manifests with sigs.k8s.io/yaml, whose
 * go-yaml v2 still has the words of YAML 1.1 (its resolve.go): y, n, yes, no, on and off are booleans, 0777 is octal, 1_000 a number.
 * Timestamps stay the text that they are.
 */

const WORDS: ReadonlyMap<string, boolean | number | null> = new Map<string, boolean | number | null>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, Number.NEGATIVE_INFINITY] as const),
])

/** bases as Go's strconv.ParseInt finds them: a prefix, or a leading zero for octal */
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/

/** Only what begins like a word of the list or a number needs a closer look; most texts are neither. */
const FIRST = new Uint8Array(128)
for (const c of '+-.0123456789yYnNtTfFoO~') FIRST[c.charCodeAt(0)] = 1
const LONGEST_WORD = 5

/** The value of an unquoted scalar; what is neither one of the words nor a number stays text. */
export function resolvePlain(text: string): string | number | boolean | null {
  if (text !== '' && FIRST[text.charCodeAt(0)] !== 1) return text
  const word = text.length <= LONGEST_WORD ? WORDS.get(text) : undefined
  if (word !== undefined) return word
  const first = text.charCodeAt(0)
  const digit = first >= 0x30 && first <= 0x39
  if (!digit && first !== 0x2e && first !== 0x2b && first !== 0x2d) return text
  if (first === 0x2e) return FLOAT.test(text) ? Number(text) : text
  const plain = text.includes('_') ? text.replaceAll('_', '') : text
  const integer = INTEGER.exec(plain)
  if (integer) {
    const [, sign, hex, binary, octal, decimal] = integer
    const value = hex ? Number.parseInt(hex, 16) : binary ? Number.parseInt(binary, 2) : octal ? Number.parseInt(octal, 8) : Number(decimal)
    // -0 is 0 to Go's integers
    return sign === '-' && value !== 0 ? -value : value
  }
  return FLOAT.test(plain) ? Number(plain) : text
}

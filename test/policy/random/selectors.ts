/** Random selectors of both languages over the small alphabets. */
import type { Random } from '../../kernel/random.ts'
import type { LabelSelector } from '../naive/objects.ts'
import { accountLabels, accounts, namespaceLabels, namespaces, podLabels, some, times } from './words.ts'

type Alphabet = Readonly<Record<string, readonly string[]>>

export const podSelector = (random: Random): LabelSelector => labelSelector(random, podLabels)

export const namespaceSelector = (random: Random): LabelSelector =>
  labelSelector(random, { ...namespaceLabels, 'kubernetes.io/metadata.name': namespaces })

function labelSelector(random: Random, alphabet: Alphabet): LabelSelector {
  const kind = random.below(10)
  if (kind < 4) return {}
  const key = random.pick(Object.keys(alphabet))
  const value = random.pick(alphabet[key] ?? [])
  if (kind < 7) return { matchLabels: { [key]: value } }
  const matchExpressions = times(random, 1, 2, () => expression(random, alphabet))
  return kind < 9 ? { matchExpressions } : { matchLabels: { [key]: value }, matchExpressions }
}

function expression(random: Random, alphabet: Alphabet) {
  const key = random.pick(Object.keys(alphabet))
  const operator = random.pick(['In', 'NotIn', 'Exists', 'DoesNotExist'])
  if (operator === 'Exists' || operator === 'DoesNotExist') return { key, operator }
  return { key, operator, values: some(random, alphabet[key] ?? [], 1) }
}

/** labels that Calico gives to endpoints, beside their own */
const given: Alphabet = {
  'projectcalico.org/namespace': namespaces,
  'projectcalico.org/serviceaccount': accounts,
  'projectcalico.org/orchestrator': ['k8s'],
  'pcns.env': namespaceLabels.env,
  'pcns.projectcalico.org/name': namespaces,
  'pcsa.grade': accountLabels.grade,
}

/** of endpoints: mostly their own labels */
export const endpointSelector = (random: Random): string => calicoSelector(random, random.chance(0.2) ? given : podLabels)

/** for namespaceSelector, where names have no prefix */
export const calicoNamespaceSelector = (random: Random): string =>
  calicoSelector(random, { ...namespaceLabels, 'projectcalico.org/name': namespaces })

export const accountSelector = (random: Random): string => calicoSelector(random, { ...accountLabels, 'projectcalico.org/name': accounts })

function calicoSelector(random: Random, alphabet: Alphabet): string {
  const kind = random.below(10)
  if (kind < 4) return 'all()'
  if (kind < 8) return test(random, alphabet)
  const blank = random.pick(['', ' '])
  const [left, right] = [term(random, alphabet), term(random, alphabet)]
  if (kind < 9) return `${left}${blank}${random.pick(['&&', '||'])} ${right}`
  return `${left} || ${right} && ${term(random, alphabet)}`
}

function term(random: Random, alphabet: Alphabet): string {
  if (random.chance(0.7)) return test(random, alphabet)
  return `${random.pick(['', '!', '! '])}(${test(random, alphabet)} ${random.pick(['&&', '||'])} ${test(random, alphabet)})`
}

function test(random: Random, alphabet: Alphabet): string {
  const key = random.pick(Object.keys(alphabet))
  const values = alphabet[key] ?? []
  const value = random.pick(values)
  const set = () =>
    some(random, values, random.chance(0.05) ? 0 : 1)
      .map((v) => `'${v}'`)
      .join(', ')
  switch (random.below(12)) {
    case 0:
      return `${key}=='${value}'`
    case 1:
    case 2:
      return `${key} != '${value}'`
    case 3:
      return `${key} in {${set()}}`
    case 4:
      return `${key} not in { ${set()} }`
    case 5:
      return `has(${key})`
    case 6:
      return `!has(${key})`
    case 7:
      return `${key} contains "${value.slice(-1)}"`
    case 8:
      return `${key} starts with '${value.slice(0, 1)}'`
    case 9:
      return `${key} ends with '${value.slice(-1)}'`
    default:
      return `${key} == '${value}'`
  }
}

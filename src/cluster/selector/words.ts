import { write } from './canonical.ts'
import type { Selector } from './types.ts'

/**
 * A selector of the model as people would say it: Calico's language without what conversions add. `namespace == "shop" && app == "web"`,
 * `namespace label team == "red"`, `service account label role == "api"`; `any pod` where nothing but that is asked.
 */
export function selectorWords(selector: Selector): string {
  const asked = conjuncts(selector).filter((x) => !isOfPods(x))
  return asked.length === 0 ? 'any pod' : asked.map(part).join(' && ')
}

/** Brackets in an `&&` of nothing but `&&`s say nothing. */
const conjuncts = (selector: Selector): readonly Selector[] => (selector.kind === 'and' ? selector.operands.flatMap(conjuncts) : [selector])

/** What conversion gives every peer of a Kubernetes policy. */
const isOfPods = (x: Selector): boolean => x.kind === 'equal' && x.key === 'projectcalico.org/orchestrator' && x.value === 'k8s'

const part = (selector: Selector): string => write(selector, labelWords, part)

const NAMES: ReadonlyMap<string, string> = new Map([
  ['projectcalico.org/namespace', 'namespace'],
  ['pcns.projectcalico.org/name', 'namespace'],
  ['pcns.kubernetes.io/metadata.name', 'namespace'],
  ['projectcalico.org/serviceaccount', 'service account'],
  ['pcsa.projectcalico.org/name', 'service account'],
])

/** Labels that endpoints inherit bear a prefix (calico.ts). */
function labelWords(key: string): string {
  if (key.startsWith('pcns.')) return NAMES.get(key) ?? `namespace label ${key.slice('pcns.'.length)}`
  if (key.startsWith('pcsa.')) return NAMES.get(key) ?? `service account label ${key.slice('pcsa.'.length)}`
  return NAMES.get(key) ?? key
}

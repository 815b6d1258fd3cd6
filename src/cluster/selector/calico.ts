import { allOf, type LabelSet, type Selector, valueSet } from './types.ts'

/**
 * How Calico folds the selectors of an object into one on the labels of endpoints (libcalico-go/lib/backend/syncersv1/updateprocessors):
 * an endpoint inherits the labels of its namespace and of its service account under a prefix of theirs.
 *
 * A selector that is not given, or is the empty text, is `undefined` here: that differs from `all()` wherever it says whether
 * a namespace is asked for.
 */

export const NAMESPACE = 'projectcalico.org/namespace'
const ORCHESTRATOR = 'projectcalico.org/orchestrator'
const SERVICE_ACCOUNT = 'projectcalico.org/serviceaccount'
const NAMESPACE_PREFIX = 'pcns.'
const ACCOUNT_PREFIX = 'pcsa.'

/** Subject of a NetworkPolicy of Calico's: what its selectors select in its own namespace. */
export function namespacedSubject(namespace: string, selector?: Selector, serviceAccountSelector?: Selector): Selector {
  const own: Selector = { kind: 'equal', key: NAMESPACE, value: namespace }
  const subject = selector === undefined ? own : allOf([selector, own])
  return serviceAccountSelector === undefined ? subject : allOf([subject, prefixed(serviceAccountSelector, ACCOUNT_PREFIX)])
}

/**
 * Subject of a GlobalNetworkPolicy. Where it has a namespaceSelector, every `all()` in either selector comes to mean “is in a namespace”
 * (“has a service account” with a serviceAccountSelector): but for that, `ns != 'x'` selects host endpoints too, which have no namespace.
 */
export function globalSubject(selector?: Selector, namespaceSelector?: Selector, serviceAccountSelector?: Selector): Selector {
  let subject = selector
  const restrict = (by: Selector, prefix: string, all: string): void => {
    const part = prefixed(by, prefix)
    subject = replaced(subject === undefined ? part : allOf([subject, part]), { all: has(all) })
  }
  if (namespaceSelector !== undefined) restrict(namespaceSelector, NAMESPACE_PREFIX, NAMESPACE)
  if (serviceAccountSelector !== undefined) restrict(serviceAccountSelector, ACCOUNT_PREFIX, SERVICE_ACCOUNT)
  return subject ?? { kind: 'all' }
}

/** The selectors of a rule's source or destination, parsed. */
export interface EntitySelectors {
  readonly selector?: Selector
  readonly namespaceSelector?: Selector
  readonly serviceAccountNames?: readonly string[]
  readonly serviceAccountSelector?: Selector
  /** it has a notSelector: which the caller asks apart, but which ties the entity to a namespace as the others do */
  readonly negated?: boolean
}

/**
 * What a rule's source or destination must be by its selectors; undefined: it may be anything. `namespace`: of the policy, unless it is
 * a global one. A namespaced policy's entity with any of the selectors is one of its own namespace, or of those of the namespaceSelector.
 */
export function entitySelector(entity: EntitySelectors, namespace: string | undefined): Selector | undefined {
  const parts: Selector[] = []
  const account = accountSelector(entity)
  if (account) parts.push(account)
  if (entity.selector) parts.push(entity.selector)
  const what = parts.length === 0 ? undefined : allOf(parts)
  const where = entityNamespace(entity, namespace)
  if (where === undefined) return what
  if (what !== undefined) return allOf([where, what])
  return entity.namespaceSelector !== undefined || entity.negated === true ? where : undefined
}

function entityNamespace({ namespaceSelector }: EntitySelectors, namespace: string | undefined): Selector | undefined {
  if (namespaceSelector !== undefined) {
    const namespaced = has(NAMESPACE)
    return replaced(prefixed(namespaceSelector, NAMESPACE_PREFIX), { all: namespaced, global: { kind: 'not', operand: namespaced } })
  }
  return namespace === undefined ? undefined : { kind: 'equal', key: NAMESPACE, value: namespace }
}

function accountSelector({ serviceAccountNames = [], serviceAccountSelector }: EntitySelectors): Selector | undefined {
  const parts: Selector[] = []
  if (serviceAccountSelector !== undefined) parts.push(prefixed(serviceAccountSelector, ACCOUNT_PREFIX))
  if (serviceAccountNames.length > 0) parts.push({ kind: 'in', key: SERVICE_ACCOUNT, values: valueSet(serviceAccountNames) })
  return parts.length === 0 ? undefined : allOf(parts)
}

const has = (key: string): Selector => ({ kind: 'has', key })

/** Every label with a prefix. `!(!x)` becomes x, since Calico parses the text of what it prefixed once more. */
function prefixed(selector: Selector, prefix: string): Selector {
  switch (selector.kind) {
    case 'all':
    case 'global':
      return selector
    case 'not': {
      const operand = prefixed(selector.operand, prefix)
      return operand.kind === 'not' ? operand.operand : { kind: 'not', operand }
    }
    case 'and':
    case 'or':
      return { kind: selector.kind, operands: selector.operands.map((operand) => prefixed(operand, prefix)) }
    default:
      return { ...selector, key: prefix + selector.key }
  }
}

/** With something else for `all()` and `global()`. */
function replaced(selector: Selector, by: { readonly all: Selector; readonly global?: Selector }): Selector {
  switch (selector.kind) {
    case 'all':
      return by.all
    case 'global':
      return by.global ?? selector
    case 'not': {
      const operand = replaced(selector.operand, by)
      return operand.kind === 'not' ? operand.operand : { kind: 'not', operand }
    }
    case 'and':
    case 'or':
      return { kind: selector.kind, operands: selector.operands.map((operand) => replaced(operand, by)) }
    default:
      return selector
  }
}

/** What endpoints and network sets inherit from their namespace. */
export const namespaceLabels = (name: string, labels: LabelSet): LabelSet => inherited(NAMESPACE_PREFIX, name, labels)

/** What endpoints inherit from their service account. */
export const serviceAccountLabels = (name: string, labels: LabelSet): LabelSet => inherited(ACCOUNT_PREFIX, name, labels)

function inherited(prefix: string, name: string, labels: LabelSet): LabelSet {
  const out = new Map<string, string>()
  for (const [key, value] of labels) out.set(prefix + key, value)
  return out.set(`${prefix}projectcalico.org/name`, name)
}

/**
 * A pod's own labels as Calico sees them: no pod can pretend to be in another namespace (workloadendpointprocessor.go). The service
 * account is there whatever the length of its name: only the stored WorkloadEndpoint lacks long ones.
 */
export function podLabels(namespace: string, labels: LabelSet, serviceAccount: string | undefined): LabelSet {
  const out = new Map<string, string>()
  for (const [key, value] of labels) {
    if (!key.startsWith(NAMESPACE_PREFIX) && !key.startsWith(ACCOUNT_PREFIX)) out.set(key, value)
  }
  out.set(NAMESPACE, namespace).set(ORCHESTRATOR, 'k8s')
  if (serviceAccount !== undefined) out.set(SERVICE_ACCOUNT, serviceAccount)
  return out
}

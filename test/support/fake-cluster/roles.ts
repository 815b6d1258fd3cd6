/** RBAC as the API server's authorizer reads it. */
import { parseAllDocuments } from 'yaml'
import { arr, type Json, rec, str } from '../../../src/cluster/items.ts'
import { nameOf, namespaceOf } from './objects.ts'

/** What a request asks for. `resource` with its subresource: `pods/exec`. Discovery is everybody's and is not asked. */
export interface Right {
  readonly verb: string
  readonly group: string
  readonly resource: string
  /** undefined: in all namespaces, or of the cluster */
  readonly namespace?: string
  readonly name?: string
}

export interface Rule {
  readonly verbs: readonly string[]
  readonly groups: readonly string[]
  readonly resources: readonly string[]
  readonly names: readonly string[]
  /** undefined: everywhere */
  readonly namespace?: string
  /** of which object: `ClusterRole netctl-read` */
  readonly of: string
}

/** The objects of a manifest. */
export const objectsOf = (manifest: string): readonly Json[] => parseAllDocuments(manifest).map((document) => rec(document.toJS()))

/** The rules that the bindings among these objects give to a group. */
export function boundRules(objects: readonly Json[], group: string): readonly Rule[] {
  return objects.flatMap((binding) => {
    if (binding.kind !== 'ClusterRoleBinding' && binding.kind !== 'RoleBinding') return []
    if (!arr(binding.subjects).some((one) => rec(one).kind === 'Group' && rec(one).name === group)) return []
    const { kind, name } = rec(binding.roleRef)
    const namespace = binding.kind === 'RoleBinding' ? namespaceOf(binding) : undefined
    return objects
      .filter((role) => role.kind === kind && nameOf(role) === name && (kind === 'ClusterRole' || namespaceOf(role) === namespace))
      .flatMap((role) => rulesOf(role, namespace))
  })
}

/** `namespace`: in which the role is bound, if not everywhere. */
const rulesOf = (role: Json, namespace: string | undefined): readonly Rule[] =>
  arr(role.rules).map((one) => {
    const rule = rec(one)
    const texts = (key: string) => arr(rule[key]).flatMap((x) => str(x) ?? [])
    return {
      verbs: texts('verbs'),
      groups: texts('apiGroups'),
      resources: texts('resources'),
      names: texts('resourceNames'),
      ...(namespace !== undefined && { namespace }),
      of: `${String(role.kind)} ${nameOf(role)}`,
    }
  })

/** Is it allowed by one of them? */
export const allowedBy =
  (rules: readonly Rule[]) =>
  ({ verb, group, resource, namespace, name }: Right): boolean =>
    rules.some(
      (rule) =>
        (rule.namespace === undefined || rule.namespace === namespace) &&
        has(rule.verbs, verb) &&
        has(rule.groups, group) &&
        // rbac/v1: `pods` does not include `pods/exec`, and `*` does
        (has(rule.resources, resource) || rule.resources.includes(`*/${resource.split('/')[1]}`)) &&
        (rule.names.length === 0 || (name !== undefined && rule.names.includes(name))),
    )

const has = (list: readonly string[], one: string): boolean => list.includes(one) || list.includes('*')

/** The single rights that rules are made of: a verb on a resource, each as a rule of its own. */
export const singleRights = (rules: readonly Rule[]): readonly Rule[] =>
  rules.flatMap((rule) =>
    rule.groups.flatMap((group) =>
      rule.resources.flatMap((resource) => rule.verbs.map((verb) => ({ ...rule, groups: [group], resources: [resource], verbs: [verb] }))),
    ),
  )

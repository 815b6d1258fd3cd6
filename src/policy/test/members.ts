import { positionOf } from '../../cluster/manifest/position.ts'
import type { FieldPath } from '../../cluster/manifest/types.ts'
import { NetctlError } from '../../error.ts'
import { nearest } from '../../nearest.ts'
import type { End } from '../flow.ts'
import { endOf } from '../query/ends.ts'
import { endsTyped } from '../query/who.ts'
import type { Endpoint, PolicyWorld } from '../world.ts'
import type { Glob } from './glob.ts'
import type { EndPattern, Expectation, LabelPattern } from './types.ts'

type Pods = Extract<EndPattern, { kind: 'pods' }>

/** A fault of an expectation: it can't be asked. Exit 2, with the line of the field. */
export function refuseExpectation({ test, index }: Expectation, path: FieldPath, message: string, advice?: string): never {
  const { file, line } = positionOf(test, ['spec', 'tests', index, ...path])
  throw new NetctlError({ code: 'PTE002', message, file, line, ...(advice !== undefined && { try: advice }) })
}

/** Who is meant by one end of an expectation; at least one. Throws NetctlError with the line where nobody is. */
export function membersOf(world: PolicyWorld, expectation: Expectation, side: 'from' | 'to', namespace: string): readonly End[] {
  const pattern = expectation[side]
  try {
    switch (pattern.kind) {
      case 'typed':
        return endsTyped(world, pattern.ref, namespace)
      case 'pods': {
        const found = podsOf(world, pattern)
        return found.length > 0 ? found : refuseExpectation(expectation, [side], ...nobody(world, pattern))
      }
    }
  } catch (error) {
    if (!(error instanceof NetctlError) || error.line !== undefined) throw error
    return refuseExpectation(expectation, [side], error.message, error.try)
  }
}

const selections = new WeakMap<PolicyWorld, Map<string, readonly End[]>>()

/** Tests ask for the same pods again and again. */
function podsOf(world: PolicyWorld, pattern: Pods): readonly End[] {
  let known = selections.get(world)
  if (!known) selections.set(world, (known = new Map()))
  const key = JSON.stringify([pattern.namespace?.text, pattern.name?.text, pairs(pattern.labels), pairs(pattern.namespaceLabels)])
  let found = known.get(key)
  if (!found)
    known.set(
      key,
      (found = world.endpoints
        .filter((endpoint) => endpoint.kind !== 'host' && fits(world, pattern, endpoint))
        .map((endpoint) => endOf(endpoint))),
    )
  return found
}

const pairs = (labels: readonly LabelPattern[]): string[] => labels.flatMap(({ key, value }) => [key, value.text])

function fits(world: PolicyWorld, { namespace, name, labels, namespaceLabels }: Pods, endpoint: Endpoint): boolean {
  const matches = (glob: Glob | undefined, text: string | undefined): boolean =>
    glob === undefined || (text !== undefined && glob.matches(text))
  if (!matches(namespace, endpoint.namespace) || !matches(name, endpoint.name)) return false
  if (!labels.every(({ key, value }) => matches(value, endpoint.labels.get(key)))) return false
  if (namespaceLabels.length === 0) return true
  const around = world.namespaces.get(endpoint.namespace ?? '')
  return around !== undefined && namespaceLabels.every(({ key, value }) => matches(value, around.get(key)))
}

/** Says that nobody fits, and which part of the selection nobody has. */
function nobody(world: PolicyWorld, pattern: Pods): [message: string, advice?: string] {
  const pods = world.endpoints.filter((endpoint) => endpoint.kind !== 'host')
  const message = `no pod fits: ${pattern.text}`
  if (pods.length === 0) return ['no pod fits, for there is none in the input', 'give the manifests of the pods too: -f FILE']
  const { namespace } = pattern
  const namespaces = [...new Set(pods.map((pod) => pod.namespace ?? ''))]
  if (namespace && !namespaces.some((n) => namespace.matches(n)))
    return [message, `namespaces with pods: ${some(nearest(namespace.text, namespaces), namespaces)}`]
  for (const { key, value } of pattern.labels) {
    const values = [...new Set(pods.flatMap((pod) => pod.labels.get(key) ?? []))]
    if (values.length === 0) return [message, `no pod has the label ${key}`]
    if (!values.some((v) => value.matches(v))) return [message, `${key} is ${some(nearest(value.text, values), values)}`]
  }
  return [message]
}

const some = (near: readonly string[], all: readonly string[]): string => {
  const shown = near.length > 0 ? near : all.slice(0, 5)
  return `${shown.join(', ')}${all.length > shown.length ? `, … (${all.length} in all)` : ''}`
}

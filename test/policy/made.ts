/** Small worlds: two pods of one namespace, and policies about them. */
import { evaluate } from '../../src/policy/evaluate.ts'
import type { PolicyFlow } from '../../src/policy/flow.ts'
import type { PolicyWorld } from '../../src/policy/world.ts'
import { flow } from './world.ts'

/** A pod of namespace a. */
export const pod = (name: string, app: string, address: string, more = ''): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: a, labels: {app: ${app}}}
spec: {${more || 'nodeName: n1'}}
${address ? `status: {podIPs: [${address.split(' ').map((ip) => `{ip: "${ip}"}`)}]}` : ''}
---`
/** Namespace a, with web and db. */
export const PODS = `
apiVersion: v1
kind: Namespace
metadata: {name: a}
---${pod('web', 'web', '10.0.0.1')}${pod('db', 'db', '10.0.0.2')}`

/** db takes in what these rules allow. */
export const isolate = (rules: string): string => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: a}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress], ingress: [${rules}]}
---`

export const global = (name: string, spec: string): string => `
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: ${name}}
spec: {${spec}}
---`

export const admin = (name: string, priority: number, action: string): string => `
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: ${name}}
spec: {tier: Admin, priority: ${priority}, subject: {namespaces: {}}, ingress: [{action: ${action}, from: [{namespaces: {}}]}]}
---`

/** The verdict about a flow, port 80 if not said. */
export function ask(world: PolicyWorld, from: string, to: string, protocol = 'TCP', port?: number, more: Partial<PolicyFlow> = {}) {
  return evaluate(world, flow(world, from, to, protocol, protocol === 'ICMP' ? undefined : (port ?? 80), more))
}

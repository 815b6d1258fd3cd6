import { expect, it } from 'vitest'
import { explain } from '../../src/policy/explain.ts'
import { policyId } from '../../src/policy/path.ts'
import { flow, worldOfText } from './world.ts'

const SHOP = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: shop}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}
status: {podIP: 10.0.0.1}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: c, ports: [{name: sql, containerPort: 5432}]}]}
status: {podIP: 10.0.0.2}
---
apiVersion: projectcalico.org/v3
kind: Tier
metadata: {name: security}
spec: {order: 10}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: security.pass}
spec:
  tier: security
  selector: all()
  ingress: [{action: Pass}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: sql}]
---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: last, namespace: shop}
spec:
  selector: app == 'db'
  ingress: [{action: Deny}]
`

it('lists every policy that selects an end, in order, with what its rules made of the packet', () => {
  const world = worldOfText(SHOP)
  const explained = explain(world, flow(world, 'shop/web', 'shop/db', 'TCP', 5433))
  expect(explained.verdict.verdict).toBe('deny')
  expect(explained.egress).toEqual([])
  const rows = explained.ingress.flatMap(({ tier, policies }) =>
    policies.map(({ policy, reached, rules }) => [tier.name, policyId(policy), reached, rules.map(({ match }) => match)]),
  )
  expect(rows).toEqual([
    ['security', 'GlobalNetworkPolicy:/security.pass', true, [{ kind: 'match' }]],
    [
      'default',
      'KubernetesNetworkPolicy:shop/db',
      true,
      // all but the port is right: a near miss
      [{ kind: 'mismatch', failed: [{ criterion: 'destination ports', wanted: 'port sql', found: 'port 5433' }] }],
    ],
    ['default', 'NetworkPolicy:shop/last', true, [{ kind: 'match' }]],
  ])
})

it('shows what comes after the decision as not reached', () => {
  const world = worldOfText(SHOP)
  const { verdict, ingress } = explain(world, flow(world, 'shop/web', 'shop/db', 'TCP', 5432))
  expect(verdict.verdict).toBe('allow')
  expect(ingress.at(-1)?.policies.map(({ policy, reached }) => [policy.name, reached])).toEqual([
    ['db', true],
    ['last', false],
  ])
})

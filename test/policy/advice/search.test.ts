import { describe, expect, test } from 'vitest'
import { smallestChange } from '../../../src/policy/advice/search.ts'
import { evaluate } from '../../../src/policy/evaluate.ts'
import { adviceText } from '../../../src/report/policy/advice-text.ts'
import { flow, worldOfText } from '../world.ts'

const pod = (name: string, labels = `{app: ${name.split('/')[1]}}`, ip = '') => `
apiVersion: v1
kind: Pod
metadata: {name: ${name.split('/')[1]}, namespace: ${name.split('/')[0]}, labels: ${labels}}
spec: {nodeName: n1, containers: [{name: a, ports: [{name: sql, containerPort: 5432}, {containerPort: 8080}]}]}
status: {phase: Running${ip === '' ? '' : `, podIP: ${ip}`}}
---`
const network = (name: string, spec: string) => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ${name}, namespace: shop}
spec: ${spec}
---`
const PODS =
  pod('shop/web', '{app: web, pod-template-hash: abc}', '10.0.0.1') +
  pod('shop/db', '{app: db}', '10.0.0.2') +
  pod('ops/job', '{app: job}', '10.0.0.3')

/** The edits in a few words, checked by judging the flow in the changed world. */
function advice(text: string, from: string, to: string, port: number, wanted: 'allow' | 'deny'): string[] | undefined {
  const world = worldOfText(PODS + text)
  const asked = flow(world, from, to, 'TCP', port)
  expect(evaluate(world, asked).allowed).toBe(wanted !== 'allow')
  const found = smallestChange(world, [asked], wanted)
  if (found) expect(evaluate(found.world, asked).verdict).toBe(wanted)
  return found?.edits.map((edit) => {
    const rule = 'rule' in edit ? ` ${edit.rule.index}` : ''
    const peer = 'peer' in edit && 'text' in edit.peer ? ` ${edit.peer.text}` : 'subject' in edit ? ` ${edit.subject.text}` : ''
    const action = edit.kind === 'add-rule' ? ` ${edit.action}${edit.before ? ` before ${edit.before.index}` : ''}` : ''
    const ports = 'port' in edit && edit.kind !== 'add-rule' ? ` ${edit.port}` : ''
    return `${edit.kind}${'policy' in edit ? ` ${edit.policy.name}` : ''}${rule}${action}${peer}${ports}`
  })
}

describe('to allow', () => {
  test('a near miss by its port', () => {
    expect(
      advice(
        network(
          'db',
          '{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 80}]}, {from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]}',
        ),
        'shop/web',
        'shop/db',
        8080,
        'allow',
      ),
    ).toEqual(['add-port db 0 8080'])
  })

  test('a near miss by its peer, named by a label that lasts, with the namespace if that is another', () => {
    const db = network(
      'db',
      '{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: api}}}], ports: [{port: 5432}]}]}',
    )
    expect(advice(db, 'shop/web', 'shop/db', 5432, 'allow')).toEqual(['add-peer db 0 podSelector app=web'])
    expect(advice(db, 'ops/job', 'shop/db', 5432, 'allow')).toEqual([
      'add-peer db 0 namespaceSelector kubernetes.io/metadata.name=ops, podSelector app=job',
    ])
    expect(advice(db, '203.0.113.9', 'shop/db', 5432, 'allow')).toEqual(['add-peer db 0 ipBlock 203.0.113.9/32'])
  })

  test('nothing near: a rule of its own', () => {
    expect(advice(network('closed', '{podSelector: {}, policyTypes: [Ingress]}'), 'shop/web', 'shop/db', 5432, 'allow')).toEqual([
      'add-rule closed allow podSelector app=web',
    ])
  })

  test('both sides deny: two edits', () => {
    expect(advice(network('closed', '{podSelector: {}, policyTypes: [Ingress, Egress]}'), 'shop/web', 'shop/db', 5432, 'allow')).toEqual([
      'add-rule closed allow podSelector app=db',
      'add-rule closed allow podSelector app=web',
    ])
  })

  test('a rule that denies: one before it that passes, where what comes after allows', () => {
    const admin = `
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: no-web}
spec:
  priority: 1
  subject: {namespaces: {}}
  ingress: [{action: Deny, from: [{namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}}]}]
`
    expect(advice(admin, 'shop/web', 'shop/db', 5432, 'allow')).toEqual([
      'add-rule no-web pass before 0 namespaceSelector kubernetes.io/metadata.name=shop, podSelector app=web',
    ])
  })

  test('Calico says selectors', () => {
    const calico = `
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec: {selector: app == 'db', ingress: [{action: Allow, protocol: TCP, source: {selector: app == 'api'}, destination: {ports: [5432]}}]}
`
    expect(advice(calico, 'shop/web', 'shop/db', 5432, 'allow')).toEqual(["add-peer db 0 selector app == 'web'"])
    expect(advice(calico, '203.0.113.9', 'shop/db', 5432, 'allow')).toEqual(['add-peer db 0 nets 203.0.113.9/32'])
  })

  test('a Calico rule has one protocol: no port of another is added to it', () => {
    const calico = `
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec: {selector: app == 'db', ingress: [{action: Allow, protocol: UDP, source: {selector: app == 'web'}, destination: {ports: [5432]}}]}
`
    expect(advice(calico, 'shop/web', 'shop/db', 5432, 'allow')).toEqual(["add-rule db allow selector app == 'web'"])
  })

  test('Kubernetes has no words for pings, and none for sources outside in admin policies', () => {
    const world = worldOfText(PODS + network('closed', '{podSelector: {}, policyTypes: [Ingress]}'))
    expect(smallestChange(world, [flow(world, 'shop/web', 'shop/db', 'ICMP')], 'allow')).toBeUndefined()
    const admin = `
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: no-sql}
spec:
  priority: 1
  subject: {namespaces: {}}
  ingress: [{action: Allow, from: [{namespaces: {}}]}]
`
    expect(advice(admin, '203.0.113.9', 'shop/db', 5432, 'deny')).toEqual(['add-policy podSelector app=db'])
  })
})

describe('in words', () => {
  const words = (nets: string, from: string): string | undefined => {
    const world = worldOfText(
      `${PODS}
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: db}
spec: {selector: app == 'db', ingress: [{action: Allow, protocol: TCP, source: {nets: [${nets}]}}]}
`,
    )
    const found = smallestChange(world, [flow(world, from, 'shop/db', 'TCP', 5432)], 'allow')
    return found && adviceText(found)
  }

  test('nets of a Calico rule are a list; what else an end says must all hold, so that another peer is another rule', () => {
    expect(words('198.51.100.0/24', '203.0.113.9')).toMatch(/^add nets 203\.0\.113\.9\/32 to rule 0 of GlobalNetworkPolicy db/)
    expect(words('198.51.100.0/24', 'shop/web')).toMatch(/^put a copy of rule 0 of .* behind it, with source selector app == 'web', /)
  })
})

describe('to deny', () => {
  test('one of several ports, one of several peers, the rule', () => {
    const ports = network('db', '{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 5432}, {port: 8080}]}]}')
    expect(advice(ports, 'shop/web', 'shop/db', 8080, 'deny')).toEqual(['remove-port db 0 8080'])
    const peers = network(
      'db',
      '{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}, {podSelector: {matchLabels: {app: api}}}]}]}',
    )
    expect(advice(peers, 'shop/web', 'shop/db', 8080, 'deny')?.[0]).toMatch(/^remove-peer db 0/)
    const all = network('db', '{podSelector: {matchLabels: {app: db}}, ingress: [{}]}')
    expect(advice(all, 'shop/web', 'shop/db', 8080, 'deny')).toEqual(['remove-rule db 0'])
  })

  test('two policies allow it: both must change', () => {
    const two =
      network('a', '{podSelector: {matchLabels: {app: db}}, ingress: [{}]}') +
      network('b', '{podSelector: {}, ingress: [{ports: [{port: 8080}]}]}')
    expect(advice(two, 'shop/web', 'shop/db', 8080, 'deny')).toEqual(['remove-rule a 0', 'remove-rule b 0'])
  })

  test('no policy at all: one that isolates', () => {
    expect(advice('', 'shop/web', 'shop/db', 8080, 'deny')).toEqual(['add-policy podSelector app=db'])
    expect(advice('', 'shop/web', '203.0.113.9', 443, 'deny')).toEqual(['add-policy podSelector app=web'])
  })

  test('a pod to itself: nothing helps', () => {
    expect(advice('', 'shop/web', 'shop/web', 8080, 'deny')).toBeUndefined()
  })
})

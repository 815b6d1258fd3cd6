import { describe, expect, it } from 'vitest'
import { pathOf } from '../../src/policy/path.ts'
import { admin, ask, global, isolate, PODS, pod } from './made.ts'
import { worldOfText } from './world.ts'

describe('verdicts beside yes and no', () => {
  it('says undefined of protocols that NetworkPolicy does not speak of', () => {
    const world = worldOfText(PODS + isolate('{ports: [{port: 80}]}'))
    const verdict = ask(world, 'a/web', 'a/db', 'ICMP')
    expect(verdict).toMatchObject({ allowed: false, verdict: 'undefined', ingress: { verdict: 'deny' } })
    expect(verdict.reasons[0]?.message).toContain('NetworkPolicy a/p isolates the pod for ingress')
    expect(ask(world, 'a/db', 'a/web', 'ICMP').verdict).toBe('allow')
    expect(ask(worldOfText(PODS + isolate('{}')), 'a/web', 'a/db', 'ICMP')).toMatchObject({ allowed: true, verdict: 'undefined' })
  })

  it('knows what becomes of ICMP where a policy of Calico decides', () => {
    const ours = global('icmp', "order: 1, selector: app == 'db', ingress: [{action: Allow, protocol: ICMP}]")
    expect(ask(worldOfText(PODS + isolate('') + ours), 'a/web', 'a/db', 'ICMP').verdict).toBe('allow')
    const other = global('tcp', "selector: app == 'db', ingress: [{action: Allow, protocol: TCP}]")
    expect(ask(worldOfText(PODS + isolate('') + other), 'a/web', 'a/db', 'ICMP').verdict).toBe('deny')
  })

  it('says ambiguous of equal priorities only where their order matters', () => {
    const verdict = ask(worldOfText(PODS + admin('m1', 5, 'Accept') + admin('m2', 5, 'Deny')), 'a/web', 'a/db')
    expect(verdict).toMatchObject({ allowed: true, verdict: 'ambiguous' })
    expect(verdict.reasons[0]?.message).toContain('m1 and m2 have the same priority, 5')
    expect(ask(worldOfText(PODS + admin('m1', 5, 'Deny') + admin('m2', 5, 'Deny')), 'a/web', 'a/db').verdict).toBe('deny')
    expect(ask(worldOfText(PODS + admin('m1', 5, 'Deny') + admin('m2', 6, 'Accept')), 'a/web', 'a/db').verdict).toBe('deny')
    // Pass comes to the same as Accept where nothing else speaks, and not where a NetworkPolicy isolates
    const passing = PODS + admin('m1', 5, 'Accept') + admin('m2', 5, 'Pass')
    expect(ask(worldOfText(passing), 'a/web', 'a/db').verdict).toBe('allow')
    expect(ask(worldOfText(passing + isolate('')), 'a/web', 'a/db').verdict).toBe('ambiguous')
  })

  it('says l4-only of a rule that also asks for HTTP', () => {
    const http = global('h', "selector: app == 'db', ingress: [{action: Allow, protocol: TCP, http: {methods: [GET]}}]")
    expect(ask(worldOfText(PODS + http), 'a/web', 'a/db')).toMatchObject({ allowed: true, verdict: 'l4-only' })
    // the next rule allows all the same
    const anyway = global('h', "selector: app == 'db', ingress: [{action: Allow, protocol: TCP, http: {methods: [GET]}}, {action: Allow}]")
    expect(ask(worldOfText(PODS + anyway), 'a/web', 'a/db').verdict).toBe('allow')
  })

  it('says unknown of an address that is not there yet', () => {
    const world = worldOfText(PODS + pod('new', 'new', '', 'nodeName: n2') + isolate('{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}'))
    const verdict = ask(world, 'a/new', 'a/db')
    expect(verdict).toMatchObject({ allowed: false, verdict: 'unknown' })
    expect(verdict.reasons[0]?.message).toContain('10.0.0.0/8')
    expect(ask(world, 'a/web', 'a/db').verdict).toBe('allow')
    // selectors ask for labels, and those are known
    const labels = worldOfText(PODS + pod('new', 'new', '', 'nodeName: n2') + isolate('{from: [{podSelector: {}}]}'))
    expect(ask(labels, 'a/new', 'a/db').verdict).toBe('allow')
  })

  it('knows which addresses nobody will get', () => {
    const fresh = PODS + pod('new', 'new', '', 'nodeName: n2')
    const metadata = global('m', 'selector: all(), egress: [{action: Deny, destination: {nets: [169.254.169.254/32]}}, {action: Allow}]')
    expect(ask(worldOfText(fresh + metadata), 'a/web', 'a/new').verdict).toBe('allow')
    const except = isolate('{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.0.0/16]}}]}')
    expect(ask(worldOfText(fresh + except), 'a/new', 'a/db').verdict).toBe('allow')
    expect(ask(worldOfText(fresh + except.replace('169.254.0.0/16', '10.1.0.0/16')), 'a/new', 'a/db').verdict).toBe('unknown')
  })

  it('lets a plain no of one side settle what is open on the other', () => {
    const egress = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: none, namespace: a}
spec: {podSelector: {matchLabels: {app: new}}, policyTypes: [Egress]}
---`
    const world = worldOfText(PODS + pod('new', 'new', '', 'nodeName: n2') + isolate('{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}') + egress)
    expect(ask(world, 'a/new', 'a/db').verdict).toBe('deny')
  })

  const toNodes = (action: string): string => `
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: nodes}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  egress:
  - {action: ${action}, to: [{nodes: {matchLabels: {role: infra}}}, {networks: [203.0.113.0/24]}]}
  - {action: Deny, to: [{networks: [0.0.0.0/0]}]}
---`

  it('fails closed with Calico where a rule has peers that Calico does not know', () => {
    const accepted = worldOfText(PODS + toNodes('Accept'))
    expect(ask(accepted, 'a/web', '203.0.113.1')).toMatchObject({ allowed: false, verdict: 'unknown' })
    const { egress } = ask(accepted, 'a/web', '198.51.100.1')
    // the rule before it is not there in Calico
    expect(pathOf(egress)).toEqual(['tier=kube-admin KubernetesClusterNetworkPolicy:/nodes rule=0 deny'])
    for (const action of ['Deny', 'Pass']) {
      const verdict = ask(worldOfText(PODS + toNodes(action)), 'a/web', 'a/db')
      expect(verdict.verdict).toBe('deny')
      expect(verdict.notes.join()).toContain(`makes a ${action} rule`)
    }
  })

  it('says unknown of what only DNS knows, and does not take it for allowed', () => {
    const dns = toNodes('Accept').replace(/{nodes: .*?}}/, '{domainNames: ["*.example.com"]')
    expect(ask(worldOfText(PODS + dns), 'a/web', '198.51.100.1')).toMatchObject({ allowed: false, verdict: 'unknown' })
  })
})

describe('staged policies', () => {
  const np = (kind: string, spec: string): string => `
apiVersion: projectcalico.org/v3
kind: ${kind}
metadata: {name: p, namespace: a}
spec: {${spec}}
---`
  const enforced = np('NetworkPolicy', "selector: app == 'db', ingress: [{action: Allow, protocol: TCP}]")

  it('replaces its counterpart when set, takes it away when deleted, and is nothing until then', () => {
    const set = worldOfText(PODS + enforced + np('StagedNetworkPolicy', "selector: app == 'db', ingress: [{action: Allow, protocol: UDP}]"))
    expect(ask(set, 'a/web', 'a/db').verdict).toBe('allow')
    expect(ask(set, 'a/web', 'a/db', 'TCP', 80, { staged: true }).verdict).toBe('deny')
    expect(ask(set, 'a/web', 'a/db', 'UDP', 80, { staged: true }).verdict).toBe('allow')
    const gone = worldOfText(PODS + enforced + np('StagedNetworkPolicy', 'stagedAction: Delete'))
    expect(ask(gone, 'a/web', 'a/db', 'UDP').verdict).toBe('deny')
    expect(ask(gone, 'a/web', 'a/db', 'UDP', 80, { staged: true }).verdict).toBe('allow')
  })
})

describe('two families', () => {
  const both = pod('web', 'web', '10.0.0.1 fd00::1') + pod('db', 'db', '10.0.0.2 fd00::2')

  it('judges the family of the first addresses, and says so where the other fares differently', () => {
    const world = worldOfText(both + isolate('{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}'))
    const verdict = ask(world, 'a/web', 'a/db')
    expect(verdict.verdict).toBe('allow')
    expect(verdict.notes).toContain('over IPv6, from fd00::1 to fd00::2, it is deny')
  })

  it('takes the family that both have', () => {
    const world = worldOfText(both + pod('six', 'six', 'fd00::3') + isolate('{from: [{ipBlock: {cidr: "fd00::/16"}}]}'))
    expect(ask(world, 'a/six', 'a/db').verdict).toBe('allow')
    expect(ask(world, 'a/six', 'a/db', 'ICMP').sourceAddress?.text).toBe('fd00::3')
    const four = worldOfText(pod('six', 'six', 'fd00::3') + pod('db', 'db', '10.0.0.2'))
    expect(ask(four, 'a/six', 'a/db')).toMatchObject({ allowed: false, verdict: 'unknown' })
  })
})

it('drops what falls back to a profile that does not exist', () => {
  const host = `
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: h}
spec: {node: n1, interfaceName: eth0, expectedIPs: [192.0.2.1], profiles: [missing, projectcalico-default-allow]}
`
  const verdict = ask(worldOfText(host), '203.0.113.1', 'hep:h')
  expect(pathOf(verdict.ingress)).toEqual(['profile=missing rule=0 deny'])
})

it('asks no host endpoint about packets between its node and a pod there', () => {
  const host = `${pod('host', 'web', '192.0.2.1', 'nodeName: n1, hostNetwork: true')}
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: h}
spec: {node: n1, interfaceName: eth0, expectedIPs: [192.0.2.1]}
---${pod('far', 'far', '10.0.0.7', 'nodeName: n2')}`
  const world = worldOfText(PODS + host)
  expect(pathOf(ask(world, 'a/host', 'a/db').egress)).toEqual(['between a node and its pod: allow'])
  expect(pathOf(ask(world, 'a/db', 'a/host').ingress)).toEqual(['between a node and its pod: allow'])
  expect(pathOf(ask(world, 'a/host', 'a/far').egress)).toEqual(['no profile matched: deny'])
})

describe('namespaces compared with the subject’s, as v0.1.1 of the admin API has it', () => {
  const namespace = (name: string, labels: string): string => `
apiVersion: v1
kind: Namespace
metadata: {name: ${name}, labels: {${labels}}}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: ${name}}
---`
  const spaces = [
    namespace('home', 'team: red, env: prod'),
    namespace('same', 'team: red, env: prod'),
    namespace('half', 'team: red, env: dev'),
    namespace('lacks', 'team: blue'),
  ].join('')
  const denied = (peer: string): string[] => {
    const policy = `
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: compare}
spec:
  priority: 1
  subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: home}}}
  ingress: [{action: Deny, from: [{namespaces: {${peer}}}]}]
`
    const world = worldOfText(spaces + policy)
    return ['same', 'half', 'lacks'].filter((name) => ask(world, `${name}/p`, 'home/p').verdict === 'deny')
  }

  it.each([
    ['sameLabels: [team]', ['same', 'half']],
    ['sameLabels: [team, env]', ['same']],
    // a namespace has to have all of the labels, and one of them differ
    ['notSameLabels: [team, env]', ['half']],
    ['notSameLabels: [team]', ['lacks']],
    ['sameLabels: []', []],
    ['notSameLabels: []', []],
    ['sameLabels: [zone]', []],
    ['notSameLabels: [zone]', []],
  ])('%s', (peer, expected) => {
    expect(denied(peer)).toEqual(expected)
  })
})

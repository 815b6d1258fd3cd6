import { describe, expect, it } from 'vitest'
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import { parseSelector } from '../../../src/cluster/selector/parse.ts'
import { readResource } from '../../../src/policy/resources/read.ts'
import { calico, head, np, problems, resource } from './read-manifest.ts'

describe('defaults of NetworkPolicy', () => {
  it.each([
    ['{podSelector: {}}', ['Ingress']],
    ['{podSelector: {}, ingress: [{}]}', ['Ingress']],
    ['{podSelector: {}, egress: []}', ['Ingress']],
    // Ingress is there even if the policy speaks of egress only
    ['{podSelector: {}, egress: [{}]}', ['Ingress', 'Egress']],
    ['{podSelector: {}, egress: [{}], policyTypes: [Egress]}', ['Egress']],
  ])('policyTypes of %s', (spec, policyTypes) => {
    expect(resource(np(spec))).toMatchObject({ kind: 'NetworkPolicy', spec: { policyTypes } })
  })

  it('TCP, no exceptions, the namespace that was asked for', () => {
    expect(resource(np('{podSelector: {}, ingress: [{ports: [{port: 80}], from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}'))).toMatchObject({
      metadata: { name: 'p', namespace: 'shop' },
      spec: {
        podSelector: { kind: 'all' },
        ingress: [{ ports: [{ protocol: 'TCP', port: 80 }], from: [{ ipBlock: { cidr: '10.0.0.0/8', except: [] } }] }],
        egress: [],
      },
    })
  })

  it('a field that is null is a field that is not there', () => {
    expect(resource(np('{podSelector: null, ingress: null, policyTypes: null}'))).toMatchObject({
      spec: { podSelector: { kind: 'all' }, ingress: [], policyTypes: ['Ingress'] },
    })
  })

  it('host bits of a CIDR are taken', () => {
    expect(problems(np('{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.1/8, except: [10.1.2.3/16]}}]}]}'))).toEqual([])
  })
})

describe('defaults of Calico policies', () => {
  it.each([
    ['{}', ['Ingress']],
    ['{ingress: [{action: Allow}]}', ['Ingress']],
    ['{egress: [{action: Allow}]}', ['Egress']],
    ['{ingress: [{action: Allow}], egress: [{action: Allow}]}', ['Ingress', 'Egress']],
    ['{types: [Egress], ingress: [{action: Allow}]}', ['Egress']],
    ['{types: []}', ['Ingress']],
  ])('types of %s', (spec, types) => {
    expect(resource(calico(spec))).toMatchObject({ kind: 'CalicoNetworkPolicy', types, tier: 'default' })
  })

  it('without types in the stored form, where nothing is filled in, both', () => {
    expect(resource(`${head('crd.projectcalico.org/v1', 'GlobalNetworkPolicy')}spec: {}`)).toMatchObject({ types: ['Ingress', 'Egress'] })
  })

  it('a missing selector, an empty one and all() are told apart', () => {
    expect(resource(calico('{}'))).not.toHaveProperty('selector')
    expect(resource(calico('{selector: ""}'))).not.toHaveProperty('selector')
    expect(resource(calico('{selector: all()}'))).toMatchObject({ selector: { kind: 'all' } })
  })

  it('protocols become numbers, ports become ranges and names', () => {
    const spec = `{ingress: [{action: Allow, protocol: SCTP, notProtocol: "17", destination: {ports: [80, "81", "90:99", http]}}, {action: Log, protocol: UDPLite}]}`
    expect(resource(calico(spec))).toMatchObject({
      ingress: [
        {
          protocol: 132,
          notProtocol: 17,
          destination: {
            ports: [
              { kind: 'range', from: 80, to: 80 },
              { kind: 'range', from: 81, to: 81 },
              { kind: 'range', from: 90, to: 99 },
              { kind: 'named', name: 'http' },
            ],
          },
        },
        { protocol: 136, source: { nets: [], ports: [] } },
      ],
    })
  })

  it('staged kinds are to be set, unless they say otherwise', () => {
    expect(resource(calico('{}', 'StagedGlobalNetworkPolicy'))).toMatchObject({ stagedAction: 'Set' })
    expect(resource(calico('{stagedAction: ""}', 'StagedNetworkPolicy'))).toMatchObject({ stagedAction: 'Set' })
    expect(resource(calico('{stagedAction: Delete, tier: x, selector: ""}', 'StagedNetworkPolicy'))).toMatchObject({
      stagedAction: 'Delete',
    })
    expect(resource(calico('{egress: [{}]}', 'StagedKubernetesNetworkPolicy'))).toMatchObject({
      stagedAction: 'Set',
      spec: { policyTypes: ['Ingress', 'Egress'] },
    })
  })

  it('a global kind has no namespace, whatever it says', () => {
    const yaml = `${head('projectcalico.org/v3', 'GlobalNetworkPolicy', '{name: p, namespace: shop}')}spec: {}`
    expect(resource(yaml)).toMatchObject({ kind: 'GlobalNetworkPolicy', metadata: { namespace: '' } })
  })

  it('tiers deny at their end, and one without an order is last', () => {
    const tier = resource(calico('{}', 'Tier'))
    expect(tier).toMatchObject({ kind: 'Tier', defaultAction: 'Deny' })
    expect(tier).not.toHaveProperty('order')
  })

  it('a port of a protocol without number', () => {
    expect(problems(calico('{ingress: [{action: Allow, destination: {ports: [http]}}]}'))).toEqual([])
  })
})

describe('the stored form', () => {
  const stored = (kind: string, name: string, annotation: string, spec: string) =>
    `apiVersion: crd.projectcalico.org/v1\nkind: ${kind}\nmetadata:\n  name: ${name}\n  annotations:\n    projectcalico.org/metadata: '${annotation}'\nspec: ${spec}`

  it('has name and labels in an annotation', () => {
    expect(
      resource(stored('GlobalNetworkSet', 'bad', '{"labels":{"kind":"bad"},"creationTimestamp":null}', '{nets: [192.0.2.1]}')),
    ).toMatchObject({
      metadata: { name: 'bad', labels: { kind: 'bad' } },
    })
    expect(resource(stored('GlobalNetworkPolicy', 'sec.p', '{"name":"sec.p"}', '{tier: sec}'))).toMatchObject({
      metadata: { name: 'sec.p' },
    })
  })

  it('once had default. before the name', () => {
    const yaml = (name: string, tier: string) => `${head('crd.projectcalico.org/v1', 'NetworkPolicy', `{name: ${name}}`)}spec: {${tier}}`
    expect(resource(yaml('default.web', ''))).toMatchObject({ metadata: { name: 'web' } })
    expect(resource(yaml('default.web', 'tier: default'))).toMatchObject({ metadata: { name: 'web' } })
    expect(resource(yaml('default.web', 'tier: sec'))).toMatchObject({ metadata: { name: 'default.web' } })
  })
})

describe('admin policies in one shape', () => {
  const subject = 'subject: {namespaces: {}}'
  const anp = (rest: string) => `${head('policy.networking.k8s.io/v1alpha1', 'AdminNetworkPolicy')}spec: {priority: 5, ${subject}, ${rest}}`

  it('AdminNetworkPolicy', () => {
    const rules = `egress: [{name: r, action: Allow, to: [{networks: [10.0.0.0/8]}, {nodes: {}}], ports: [{portNumber: {port: 53}}, {portRange: {protocol: UDP, start: 1, end: 9}}]}]`
    expect(resource(anp(rules))).toMatchObject({
      kind: 'AdminNetworkPolicy',
      tier: 'Admin',
      priority: 5,
      subject: { namespaceSelector: { kind: 'all' } },
      ingress: [],
      egress: [
        {
          name: 'r',
          action: 'Accept',
          peers: [
            { kind: 'networks', networks: ['10.0.0.0/8'] },
            { kind: 'nodes', nodeSelector: { kind: 'all' } },
          ],
          ports: [
            { kind: 'range', protocol: 'TCP', from: 53, to: 53 },
            { kind: 'range', protocol: 'UDP', from: 1, to: 9 },
          ],
        },
      ],
    })
  })

  it('peers of v0.1.1 say the same as those of today', () => {
    const today = `ingress: [{action: Deny, from: [{namespaces: {matchLabels: {a: b}}}, {pods: {namespaceSelector: {}, podSelector: {matchLabels: {c: d}}}}]}]`
    const old = `ingress: [{action: Deny, from: [{namespaces: {namespaceSelector: {matchLabels: {a: b}}}}, {pods: {namespaces: {namespaceSelector: {}}, podSelector: {matchLabels: {c: d}}}}]}]`
    expect(resource(anp(old))).toEqual(resource(anp(today)))
    expect(resource(anp('ingress: [{action: Pass, from: [{namespaces: {notSameLabels: [team]}}]}]'))).toMatchObject({
      ingress: [{ action: 'Pass', peers: [{ kind: 'sameLabels', same: false, labels: ['team'] }] }],
    })
  })

  it('BaselineAdminNetworkPolicy', () => {
    const yaml = `${head('policy.networking.k8s.io/v1alpha1', 'BaselineAdminNetworkPolicy', '{name: default}')}spec: {${subject}}`
    expect(resource(yaml)).toMatchObject({ tier: 'Baseline', priority: 0, ingress: [], egress: [] })
  })

  it('ClusterNetworkPolicy', () => {
    const rules = `ingress: [{action: Accept, from: [{pods: {podSelector: {}}}], protocols: [{destinationNamedPort: http}, {sctp: {destinationPort: {range: {start: 1, end: 2}}}}]}]`
    const yaml = `${head('policy.networking.k8s.io/v1alpha2', 'ClusterNetworkPolicy')}spec: {tier: Baseline, priority: 0, ${subject}, ${rules}}`
    expect(resource(yaml)).toMatchObject({
      kind: 'ClusterNetworkPolicy',
      tier: 'Baseline',
      priority: 0,
      ingress: [
        {
          action: 'Accept',
          peers: [{ kind: 'pods', namespaceSelector: { kind: 'all' }, podSelector: { kind: 'all' } }],
          ports: [
            { kind: 'named', name: 'http' },
            { kind: 'range', protocol: 'SCTP', from: 1, to: 2 },
          ],
        },
      ],
    })
  })
})

describe('hostile objects', () => {
  const object = (value: object) => {
    const [base] = readManifest(np('{podSelector: {}}'), 'x', { namespace: 'a' }).objects
    return readResource({ ...(base as NonNullable<typeof base>), value: value as Record<string, unknown> })
  }
  const metadata = { name: 'p' }

  it.each(['__proto__', 'constructor', 'prototype', 'toString'])('a field called %s is unknown', (key) => {
    const spec = JSON.parse(`{"podSelector": {}, "${key}": {"policyTypes": ["Egress"]}}`) as object
    expect(object({ metadata, spec })).toMatchObject({ kind: 'refused', problems: [{ message: 'unknown field' }] })
  })

  it('labels may be called anything that is a label', () => {
    const result = object({ metadata: { ...metadata, labels: { constructor: 'a', toString: 'b' } }, spec: { podSelector: {} } })
    expect(result).toMatchObject({ kind: 'resource', resource: { metadata: { labels: { constructor: 'a', toString: 'b' } } } })
  })

  it.each([null, [], 'text', 5, true])('a spec that is %j', (spec) => {
    expect(object({ metadata, spec }).kind).toBe(spec === null ? 'resource' : 'refused')
    expect(object({ metadata: spec, spec: {} }).kind).toBe('refused')
  })

  it('a text where an object is wanted is one problem', () => {
    expect(object({ metadata, spec: 'text' })).toMatchObject({ problems: [{ field: 'spec', message: 'must be an object, not "text"' }] })
    expect(object({ metadata, spec: [1] })).toMatchObject({ problems: [{ field: 'spec', message: 'must be an object, not a list' }] })
  })

  it('names of a million characters cost nothing', () => {
    const long = 'a-'.repeat(500_000)
    const result = object({
      metadata: { name: long, namespace: long, labels: { [long]: long } },
      spec: { podSelector: { matchLabels: { a: long } } },
    })
    expect(result.kind).toBe('refused')
  })
})

it('selectors are those of the selector language', () => {
  expect(resource(calico('{selector: "app == \'web\' || has(x)"}'))).toMatchObject({ selector: parseSelector("app == 'web' || has(x)") })
})

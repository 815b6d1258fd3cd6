import { describe, expect, test } from 'vitest'
import { felixName, policySuffixes } from '../../../src/cluster/felix-names.ts'
import type { Cluster } from '../../../src/cluster/types.ts'
import { ruleObject } from '../../../src/trace/attribution/rule-object.ts'
import { comment, emptyCluster, hash, jump, pod, policy, rule, verdict } from './rules.ts'

const source = { file: 'cluster/networkpolicies.json', line: 1 }

const cluster: Cluster = {
  ...emptyCluster,
  namespaces: ['a-rather-long-namespace-name', 'default'],
  pods: [pod('default', 'web-0', '10.244.0.5')],
  policies: [
    policy('NetworkPolicy', 'allow-from-frontend', 'default'),
    policy('CalicoNetworkPolicy', 'security.shop-api-with-a-long-name', 'shop', 'security'),
    policy('GlobalNetworkPolicy', 'security.block-bad-addresses', undefined, 'security'),
    policy('ClusterNetworkPolicy', 'admin-no-metrics'),
  ],
  hostEndpoints: [
    { source, name: 'n3-eth0', node: 'n3', interfaceName: 'eth0' },
    { source, name: 'n2-eth0', node: 'n2', interfaceName: 'eth0' },
    { source, name: 'n1-all', node: 'n1', interfaceName: '*' },
  ],
}
const object = (chain: string, r = rule([hash], verdict('RETURN')), node?: string) => ruleObject('filter', chain, r, cluster, node)

describe('names of Felix', () => {
  test.each([
    ['cali-pi-', 'knp/default/deny-all', 'cali-pi-knp/default/deny-all'],
    ['cali-pi-', 'knp/default/allow-from-frontend', 'cali-pi-_Ky8Y9BNvuL3w6nNf2th'],
    ['cali-pro-', 'kns.a-rather-long-namespace-name', 'cali-pro-_Eevx0f-a5Vdx0WMdal'],
    ['cali-fhfw-', 'any-interface-at-all', 'cali-fhfw-_Nqh4HyA73udmyanQI'],
  ])('%s%s', (prefix, suffix, name) => expect(felixName(prefix, suffix)).toBe(name))

  test('suffixes of three generations of Felix', () => {
    expect(policySuffixes(policy('NetworkPolicy', 'x', 'ns'))).toEqual(
      expect.arrayContaining(['knp/ns/x', 'default/ns/knp.default.x', 'ns/knp.default.x']),
    )
    expect(policySuffixes(policy('GlobalNetworkPolicy', 't.x', undefined, 't'))).toEqual(
      expect.arrayContaining(['gnp/t.x', 't/t.x', 't.x']),
    )
    expect(policySuffixes(policy('CalicoNetworkPolicy', 'x', 'ns', 'default'))).toEqual(
      expect.arrayContaining(['np/ns/x', 'default/ns/default.x', 'ns/default.x']),
    )
  })
})

describe("objects of Felix's rules", () => {
  test('shortened policy chains, in and out', () => {
    expect(object('cali-pi-_Ky8Y9BNvuL3w6nNf2th')).toBe('networkpolicy/default/allow-from-frontend')
    expect(object(felixName('cali-po-', 'gnp/security.block-bad-addresses'))).toBe('globalnetworkpolicy/security.block-bad-addresses')
    expect(object(felixName('cali-pi-', 'np/shop/security.shop-api-with-a-long-name'))).toBe(
      'networkpolicy.projectcalico.org/shop/security.shop-api-with-a-long-name',
    )
  })
  test('a name that is not shortened speaks for itself, even if the policy is gone', () => {
    expect(object('cali-pi-knp/data/gone')).toBe('networkpolicy/data/gone')
    expect(object('cali-pi-kcnp/admin-no-metrics')).toBe('clusternetworkpolicy/admin-no-metrics')
  })
  test('a shortened name of an unknown policy: only its comment tells', () => {
    expect(object('cali-pi-_AAAAAAAAAAAAAAAAAAA')).toBeUndefined()
    expect(object('cali-pi-_AAAAAAAAAAAAAAAAAAA', rule([hash, comment('KubernetesNetworkPolicy ns/gone ingress')]))).toBe(
      'networkpolicy/ns/gone',
    )
    expect(object('cali-pi-_AAAAAAAAAAAAAAAAAAA', rule([hash, comment('GlobalNetworkPolicy gone egress')]))).toBe(
      'globalnetworkpolicy/gone',
    )
  })
  test('profiles', () => {
    expect(object('cali-pri-kns.shop')).toBe('profile/kns.shop')
    expect(object('cali-pro-_Eevx0f-a5Vdx0WMdal')).toBe('profile/kns.a-rather-long-namespace-name')
  })
  test('endpoint chains: the pod; where they jump, the judge', () => {
    expect(object('cali-tw-cali0d7763386da')).toBe('pod/default/web-0')
    expect(object('cali-from-wl-dispatch', rule([hash], { kind: 'goto', chain: 'cali-fw-cali0d7763386da' }))).toBe('pod/default/web-0')
    expect(object('cali-tw-cali0d7763386da', rule([hash], jump('cali-pi-_Ky8Y9BNvuL3w6nNf2th')))).toBe(
      'networkpolicy/default/allow-from-frontend',
    )
    expect(
      object('cali-tw-cali0d7763386da', rule([hash, comment('End of tier security. Drop if no policies passed packet')], verdict('DROP'))),
    ).toBe('tier/security')
    expect(object('cali-tw-cali0d7763386da', rule([hash, comment('Start of tier kube-admin')]))).toBe('tier/kube-admin')
  })
  test('host endpoints: interface names repeat, the node decides', () => {
    expect(object('cali-fh-eth0', undefined, 'n3')).toBe('hostendpoint/n3-eth0')
    expect(object('cali-fh-eth0')).toBeUndefined()
    expect(object('cali-fhfw-_Nqh4HyA73udmyanQI', undefined, 'n1')).toBe('hostendpoint/n1-all')
  })
  test('rules that serve everybody', () => {
    expect(object('cali-FORWARD')).toBeUndefined()
    expect(object('FORWARD', rule([hash], jump('cali-FORWARD')))).toBeUndefined()
  })
})

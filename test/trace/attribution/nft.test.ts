import { describe, expect, test } from 'vitest'
import { chainHash } from '../../../src/cluster/kube-proxy-names.ts'
import type { Cluster } from '../../../src/cluster/types.ts'
import type { NftElement } from '../../../src/kernel/nftables/expression-types.ts'
import type { NftChain, NftFamily, NftRule } from '../../../src/kernel/nftables/types.ts'
import { ip } from '../../../src/net/ip.ts'
import { felixLayer, kubeProxyName } from '../../../src/trace/attribution/nft-names.ts'
import { nftObject } from '../../../src/trace/attribution/nft-object.ts'
import { nftRuleOwner, nftTableOwner } from '../../../src/trace/attribution/nft-owner.ts'
import { ruleView } from '../../../src/trace/attribution/rule-view.ts'
import type { RulePlace } from '../../../src/trace/step.ts'
import { emptyCluster, pod, policy, prefix, service } from './rules.ts'

const source = { file: 'cluster/x.json', line: 1 }
const long = 'x'.repeat(63)
const cluster: Cluster = {
  ...emptyCluster,
  namespaces: ['shop'],
  pods: [pod('default', 'web-0', '10.244.0.5')],
  policies: [
    policy('GlobalNetworkPolicy', 'default.allow-cluster-internal-ingress', undefined, 'default'),
    policy('NetworkPolicy', 'allow-from-frontend-and-backend', 'shop'),
  ],
  services: [
    service('shop', 'web', '10.96.0.2', [{ name: 'http', port: 80, protocol: 'tcp' }]),
    service(long, long, '10.96.0.3', [{ name: 'p'.repeat(15), port: 80, protocol: 'tcp' }]),
  ],
}

describe('names', () => {
  // as in kube-proxy's own tests (pkg/proxy/nftables/proxier_test.go)
  test.each([
    ['ns1/svc1/tcp/p80', 'ULMVA6XW'],
    ['ns1/svc1/tcp/p80__10.180.0.1/80', '5OJB2KTY'],
    ['default/kubernetes/tcp/https', '2QRHZV4L'],
  ])('the hash of %s', (name, hash) => expect(chainHash(name).slice(0, 8)).toBe(hash))

  test.each([
    ['service-2QRHZV4L-default/kubernetes/tcp/https', 'service', 'default/kubernetes:https', undefined],
    ['local-ULMVA6XW-ns1/svc1/tcp/p80', 'local', 'ns1/svc1:p80', undefined],
    ['external-AAAAAAAA-ns1/svc1/udp/', 'external', 'ns1/svc1', undefined],
    ['firewall-AAAAAAAA-ns1/svc1/sctp/x', 'firewall', 'ns1/svc1:x', undefined],
    ['endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80', 'endpoint', 'ns1/svc1:p80', '10.180.0.1/80'],
    ['affinity-5OJB2KTY-ns1/svc1/tcp/__fd00.10.1..5/80', 'affinity', 'ns1/svc1', 'fd00.10.1..5/80'],
  ])('%s', (name, role, of, endpoint) => {
    expect(kubeProxyName(name, cluster)).toEqual({ role, service: of, ...(endpoint !== undefined && { endpoint }) })
  })

  test('a name that was cut is found by its hash', () => {
    const whole = `${long}/${long}/tcp/${'p'.repeat(15)}`
    expect(kubeProxyName(`service-${chainHash(whole).slice(0, 8)}-${long}/${long.slice(0, 20)}...`, cluster)?.service).toBe(
      `${long}/${long}:${'p'.repeat(15)}`,
    )
    expect(kubeProxyName(`service-AAAAAAAA-${long}/${long.slice(0, 20)}...`, cluster)).toEqual({ role: 'service', service: undefined })
  })

  test.each(['services', 'masquerading', 'nodeport-endpoints-check', 'service-ips', 'service-short-a/b/tcp/c'])(
    '%s is no Service',
    (name) => expect(kubeProxyName(name, cluster)).toBeUndefined(),
  )

  test('layers of Felix', () => {
    expect(felixLayer('filter-cali-FORWARD')).toEqual({ table: 'filter', chain: 'cali-FORWARD' })
    expect(felixLayer('nat-POSTROUTING')).toEqual({ table: 'nat', chain: 'POSTROUTING' })
    expect(felixLayer('filter-cali-pi-knp/data/default-deny-ingress')?.chain).toBe('cali-pi-knp/data/default-deny-ingress')
    expect(felixLayer('filter-mine')).toBeUndefined()
    expect(felixLayer('cali-FORWARD')).toBeUndefined()
  })
})

describe('owners', () => {
  test.each([
    ['ip', 'calico', 'calico'],
    ['ip6', 'calico', 'calico'],
    ['arp', 'calico-arp', 'calico'],
    ['ip', 'kube-proxy', 'kube-proxy'],
    ['ip6', 'kube-proxy', 'kube-proxy'],
    ['inet', 'netctl', 'netctl'],
    ['inet', 'calico', 'other'],
    ['inet', 'kube-proxy', 'other'],
    ['ip', 'filter', 'other'],
    ['inet', 'firewalld', 'other'],
  ] as const)('table %s %s', (family, name, owner) => expect(nftTableOwner({ family, name })).toBe(owner))

  test('in a table of Felix only what carries its hash is its own', () => {
    const calico = { family: 'ip', name: 'calico' } as const
    expect(nftRuleOwner(calico, 'cali:dpfqBgJrpRwlrqw1;')).toBe('calico')
    expect(nftRuleOwner(calico, 'cali:yp7iNUYNEhDmKF6E; Policy explicitly accepted packet.')).toBe('calico')
    expect(nftRuleOwner(calico, 'by hand')).toBe('other')
    expect(nftRuleOwner(calico, undefined)).toBe('other')
    expect(nftRuleOwner({ family: 'ip', name: 'kube-proxy' }, undefined)).toBe('kube-proxy')
  })
})

const rule = (comment: string | undefined, ...statements: NftRule['statements']): NftRule => ({
  line: 1,
  statements,
  ...(comment !== undefined && { comment }),
})
const goto = (chain: string) => ({ kind: 'verdict', verdict: { kind: 'goto', chain } }) as const
const element = (more: Partial<NftElement>): NftElement => ({ key: { kind: 'ip', ip: ip('10.96.0.2') }, line: 1, ...more })
const table = (name: string, family: NftFamily = 'ip') => ({ family, name })
const hash = 'cali:dpfqBgJrpRwlrqw1;'
const calico = (chain: string, r = rule(hash), e?: NftElement) => nftObject(table('calico'), { name: chain }, r, e, cluster, 'n1')
const proxy = (chain: string, r = rule(undefined), e?: NftElement) => nftObject(table('kube-proxy'), { name: chain }, r, e, cluster)

describe('objects', () => {
  test('of Felix: policies unshortened, profiles, pods, tiers', () => {
    expect(calico('filter-cali-pi-knp/shop/allow-from-frontend-and-backend')).toBe('networkpolicy/shop/allow-from-frontend-and-backend')
    // the name is too long for iptables, but not for nft
    expect(calico('filter-cali-po-gnp/allow-cluster-internal-ingress')).toBe('globalnetworkpolicy/default.allow-cluster-internal-ingress')
    expect(calico('filter-cali-pri-ksa.shop.default')).toBe('profile/ksa.shop.default')
    expect(calico('filter-cali-tw-cali0d7763386da')).toBe('pod/default/web-0')
    expect(calico('filter-cali-tw-cali0d7763386da', rule(`${hash} End of tier security. Reject if no policies passed packet`))).toBe(
      'tier/security',
    )
    expect(calico('filter-cali-tw-cali0d7763386da', rule(hash, goto('filter-cali-pi-knp/shop/gone')))).toBe('networkpolicy/shop/gone')
    expect(calico('raw-PREROUTING', rule(hash, goto('raw-cali-PREROUTING')))).toBeUndefined()
  })
  test('of Felix: the pod that a dispatch map leads to', () => {
    const e = element({ data: { kind: 'verdict', verdict: goto('filter-cali-fw-cali0d7763386da').verdict } })
    expect(calico('filter-cali-from-wl-dispatch', rule(hash), e)).toBe('pod/default/web-0')
  })
  test('of kube-proxy: by the chain, by where it leads, by the element that was found', () => {
    expect(proxy('service-XXXXXXXX-shop/web/tcp/http')).toBe('service/shop/web:http')
    expect(proxy('external-XXXXXXXX-shop/web/tcp/http', rule('masquerade'))).toBe('service/shop/web:http')
    const found = element({ data: { kind: 'verdict', verdict: goto('service-XXXXXXXX-shop/web/tcp/http').verdict } })
    expect(proxy('services', rule(undefined), found)).toBe('service/shop/web:http')
    const none = element({ comment: 'shop/empty:http', data: { kind: 'verdict', verdict: goto('reject-chain').verdict } })
    expect(proxy('service-endpoints-check', rule(undefined), none)).toBe('service/shop/empty:http')
    expect(proxy('masquerading')).toBeUndefined()
  })
  test('of nobody: foreign tables may look alike', () => {
    expect(
      nftObject(table('kube-proxy', 'inet'), { name: 'service-XXXXXXXX-shop/web/tcp/http' }, rule(undefined), undefined, cluster),
    ).toBeUndefined()
    expect(calico('filter-cali-pi-knp/shop/x', rule('by hand'))).toBeUndefined()
  })
})

describe('a rule of iptables and one of nft in the same words', () => {
  const pools = ['10.244.0.0/16', 'fd00:10:244::/56'].map((cidr, i) => ({
    source,
    name: `pool${i}`,
    cidr: prefix(cidr),
    ipipMode: 'Never',
    vxlanMode: 'Always',
    natOutgoing: true,
    disabled: false,
  }))
  const dual: Cluster = { ...cluster, ipPools: pools }
  const chain = (name: string, ...rules: NftRule[]): NftChain => ({ name, line: 1, rules })
  const place = (family: NftFamily, rules: NftChain, r: NftRule): RulePlace => ({
    kind: 'nft',
    file: 'nodes/n1/nft.txt',
    table: {
      family,
      name: 'calico',
      flags: [],
      line: 1,
      chains: new Map([[rules.name, rules]]),
      sets: new Map(),
      objects: [],
      flowtables: [],
    },
    base: {
      ...chain('nat-POSTROUTING'),
      base: { type: 'nat', hook: 'postrouting', priority: 100, policy: 'accept', devices: [], line: 1 },
    },
    chain: rules,
    rule: r,
  })
  const masquerade = rule(hash, { kind: 'masquerade', flags: ['fully-random'] })

  test('what is masqueraded is the pool of the family', () => {
    const outgoing = chain('nat-cali-nat-outgoing', masquerade)
    expect(ruleView(place('ip', outgoing, masquerade), dual)).toMatchObject({
      table: 'nat',
      chain: 'cali-nat-outgoing',
      owner: 'calico',
      object: 'ippool/pool0',
    })
    expect(ruleView(place('ip6', outgoing, masquerade), dual).object).toBe('ippool/pool1')
    const old = (file: string): RulePlace => {
      const own = { line: 1, matches: [{ kind: 'comment', text: 'cali:dpfqBgJrpRwlrqw1' }] } as const
      const there = { name: 'cali-nat-outgoing', line: 1, policy: undefined, rules: [own], counters: undefined }
      return { kind: 'rule', file, table: { name: 'nat' } as never, chain: there as never, rule: own }
    }
    expect(ruleView(old('nodes/n1/iptables-save.txt'), dual).object).toBe('ippool/pool0')
    expect(ruleView(old('nodes/n1/ip6tables-save.txt.gz'), dual).object).toBe('ippool/pool1')
  })

  test('the chain that a rule leads to, what it says, and whether it is about INVALID', () => {
    const jump = rule(`${hash} Start of tier default`, goto('filter-cali-tw-cali0d7763386da'))
    expect(ruleView(place('ip', chain('filter-cali-to-wl-dispatch', jump), jump), cluster)).toMatchObject({
      table: 'filter',
      chain: 'cali-to-wl-dispatch',
      to: 'cali-tw-cali0d7763386da',
      remarks: ['Start of tier default'],
      wantsInvalid: false,
    })
    // ct state invalid: bit 0 (NF_CT_STATE_INVALID_BIT); established is bit 1
    const state = (value: number) =>
      rule(hash, { kind: 'match', left: { kind: 'ct', key: 'state' }, operator: 'in', right: { kind: 'number', value } })
    const about = (value: number) => ruleView(place('ip', chain('filter-cali-fw-x', state(value)), state(value)), cluster).wantsInvalid
    expect([about(1), about(2), about(6), about(5)]).toEqual([true, false, false, true])
  })
})

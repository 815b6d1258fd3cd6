import { describe, expect, test } from 'vitest'
import { chainHash } from '../../../src/cluster/kube-proxy-names.ts'
import type { Cluster, Endpoint } from '../../../src/cluster/types.ts'
import { ip } from '../../../src/net/ip.ts'
import { servicePortFromComment } from '../../../src/trace/attribution/kube-proxy-object.ts'
import { ruleObject } from '../../../src/trace/attribution/rule-object.ts'
import { comment, dnat, emptyCluster, from, jump, rule, service, verdict } from './rules.ts'

const source = { file: 'cluster/endpointslices.json', line: 1 }
const endpoint = (address: string): Endpoint => ({ source, ip: ip(address), ready: true, serving: true, terminating: false })

const cluster: Cluster = {
  ...emptyCluster,
  services: [
    service('default', 'kubernetes', '10.96.0.1', [{ name: 'https', port: 443, protocol: 'tcp' }]),
    service('default', 'web', '10.96.0.2', [{ port: 80, protocol: 'tcp' }]),
  ],
  endpointSlices: [
    {
      source,
      namespace: 'default',
      name: 'kubernetes',
      service: 'kubernetes',
      ports: [{ name: 'https', port: 6443, protocol: 'tcp' }],
      endpoints: [endpoint('192.0.2.10')],
    },
    {
      source,
      namespace: 'default',
      name: 'web-6',
      service: 'web',
      ports: [{ port: 8080, protocol: 'tcp' }],
      endpoints: [endpoint('fd00::5')],
    },
  ],
}

describe('names of kube-proxy', () => {
  test.each([
    ['default/kubernetes:https' + 'tcp', 'NPX46M4PTMTKRN6Y'],
    ['kube-system/kube-dns:dns' + 'udp', 'TCOU7JCQXEZGVUNU'],
    ['kube-system/kube-dns:dns-tcp' + 'tcp', 'ERIFXISQEP7F7OF4'],
    ['default/web' + 'tcp', 'LOLE4ISW44XBNF3G'],
    ['default/kubernetes:https' + 'tcp' + '192.0.2.10:6443', 'O7UXPAIOQA4W54LS'],
  ])('%s', (text, name) => expect(chainHash(text)).toBe(name))

  test.each([
    ['shop/web:http cluster IP', 'shop/web:http'],
    ['shop/web:http -> 10.1.2.3:8080', 'shop/web:http'],
    ['shop/web external IP', 'shop/web'],
    ['shop/web:http has no endpoints', 'shop/web:http'],
    ['shop/web:http has no local endpoints', 'shop/web:http'],
    ['masquerade traffic for shop/web:http external destinations', 'shop/web:http'],
    ['masquerade LOCAL traffic for shop/web:http external destinations', 'shop/web:http'],
    ['pod traffic for shop/web:http external destinations', 'shop/web:http'],
    ['route LOCAL traffic for shop/web:http external destinations', 'shop/web:http'],
    ['shop/web-lb:http traffic not accepted by KUBE-FW-AKPB56V6DIC5CJT2', 'shop/web-lb:http'],
    ['other traffic to shop/web:http will be dropped by KUBE-PROXY-FIREWALL', 'shop/web:http'],
    ['shop/web:http health check node port', 'shop/web:http'],
    ['shop/web', 'shop/web'],
    ['kubernetes service portals', undefined],
    ['kubernetes service nodeports; NOTE: this must be the last rule in this chain', undefined],
    ['a/b and more', undefined],
  ])('comment "%s"', (text, name) => expect(servicePortFromComment(text)).toBe(name))
})

describe('rules without comments', () => {
  const object = (chain: string, r: Parameters<typeof ruleObject>[2]) => ruleObject('nat', chain, r, cluster)

  test('a Service chain tells its port', () => {
    expect(object('KUBE-SVC-NPX46M4PTMTKRN6Y', rule([], jump('KUBE-SEP-O7UXPAIOQA4W54LS')))).toBe('service/default/kubernetes:https')
    expect(object('KUBE-SERVICES', rule([], jump('KUBE-SVC-LOLE4ISW44XBNF3G')))).toBe('service/default/web')
  })
  test('an endpoint chain by its DNAT and by its hairpin match', () => {
    expect(object('KUBE-SEP-O7UXPAIOQA4W54LS', rule([], dnat('192.0.2.10', 6443)))).toBe('service/default/kubernetes:https')
    expect(ruleObject('nat', 'KUBE-SEP-O7UXPAIOQA4W54LS', rule([from('192.0.2.10/32')], jump('KUBE-MARK-MASQ')), { ...cluster })).toBe(
      'service/default/kubernetes:https',
    )
  })
  test('IPv6 endpoints are hashed in brackets', () => {
    expect(object(`KUBE-SEP-${chainHash('default/webtcp[fd00::5]:8080')}`, rule([], dnat('fd00::5', 8080)))).toBe('service/default/web')
  })
  test('an endpoint that no slice has any more still belongs to its Service', () => {
    expect(object(`KUBE-SEP-${chainHash('default/webtcp192.0.2.99:8080')}`, rule([], dnat('192.0.2.99', 8080)))).toBe('service/default/web')
  })
  test('a Service that the snapshot lacks stays unnamed', () => {
    expect(object('KUBE-SVC-AAAAAAAAAAAAAAAA', rule([], verdict('RETURN')))).toBeUndefined()
  })
  test('rules for all Services have no object', () => {
    expect(object('KUBE-MARK-MASQ', rule([]))).toBeUndefined()
    expect(object('KUBE-FORWARD', rule([comment('kubernetes forwarding rules')], verdict('ACCEPT')))).toBeUndefined()
  })
})

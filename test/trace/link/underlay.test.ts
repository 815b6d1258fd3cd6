/** Where packets go that leave for the underlay's gateway, of which there is no dump. */
import { describe, expect, test } from 'vitest'
import { walk } from '../../support/snapshot-builder.ts'

const services = JSON.stringify({
  apiVersion: 'v1',
  kind: 'ServiceList',
  items: [
    {
      metadata: { namespace: 't', name: 'web' },
      spec: {
        type: 'LoadBalancer',
        clusterIP: '10.96.0.1',
        clusterIPs: ['10.96.0.1', 'fd96::1'],
        externalIPs: ['203.0.113.20', '2001:db8::20'],
        ports: [{ protocol: 'TCP', port: 80 }],
      },
      status: { loadBalancer: { ingress: [{ ip: '203.0.113.21' }, { ip: '2001:db8::21', ipMode: 'Proxy' }] } },
    },
  ],
})
const outside = { 4: ['203.0.113.20', '203.0.113.21', '203.0.113.99'], 6: ['[2001:db8::20]', '[2001:db8::21]', '[2001:db8::99]'] } as const

describe.for([4, 6] as const)('IPv%i', (family) => {
  const made = { undumped: ['ext' as const], files: { 'cluster/services.json': services } }
  const [external, balancer, world] = outside[family]

  // kube-proxy refuses none of these in OUTPUT: by its rules alone, a node sends them to its gateway (kube-proxy's KUBE-EXTERNAL-SERVICES)
  test('an address of a Service is not taken to be some host of the world', () => {
    const { got } = walk(made, `n1 tcp ${external}:80 = ?\nn1 tcp ${balancer}:80 = ?`, family)
    expect(got).toEqual([`n1 tcp ${external}:80 = undecided`, `n1 tcp ${balancer}:80 = undecided`])
  })

  test('any other is', () => {
    const { got } = walk(made, `n1 tcp ${world}:80 = ok`, family)
    expect(got).toEqual([`n1 tcp ${world}:80 = ok`])
  })
})

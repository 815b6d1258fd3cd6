/** Faults that the recordings don't have, or have only in one form, in a cluster of made-up dumps. */
import { describe, expect, test } from 'vitest'
import { interfaceOfPod } from '../../../src/trace/attribution/interface-names.ts'
import { cause, direct, ext, remove, web } from './faults.ts'
import { block, causes, empty, hostFiles, type Made, type MadeHost, made, p1 } from './made.ts'

test('nothing is wrong with the cluster as it should be', () => {
  expect(causes(made(), web)).toEqual([])
  expect(causes(made(), direct)).toEqual([])
})

describe('lost on the way', () => {
  test('the route of the block is missing: the node that sent it by the default route', () => {
    expect(cause((m) => remove(m.n1.routes, '10.244.2.0/26'), direct)).toMatchObject({
      node: 'n1',
      kind: 'missing-route',
      entry: 'no route to 10.244.2.0/26 (block of n2): 10.244.2.2 follows `default via 172.18.0.1 dev eth0`',
      evidence: { file: 'nodes/n1/ip-route.json' },
    })
  })

  test('the same on the other node: the reply is lost there', () => {
    expect(cause((m) => remove(m.n2.routes, '10.244.1.0/26'), direct)).toMatchObject({
      node: 'n2',
      kind: 'missing-route',
      entry: expect.stringContaining('no route to 10.244.1.0/26 (block of n1)'),
    })
  })

  test('no block in the snapshot: the pod itself is named', () => {
    const bare = (m: Made): void => {
      remove(m.n1.routes, '10.244.2.0/26')
      m.objects['ipamblocks.crd.projectcalico.org'] = []
    }
    expect(cause(bare, direct)).toMatchObject({
      node: 'n1',
      kind: 'missing-route',
      entry: expect.stringContaining('no route to 10.244.2.2 (on n2)'),
    })
  })

  test('a route that is meant for the block, to a router that knows nothing of it', () => {
    const wrong = (m: Made): void => {
      remove(m.n1.routes, '10.244.2.0/26')
      m.n1.routes.push('10.244.2.0/26 via 172.18.0.1 dev eth0 proto bird')
    }
    expect(cause(wrong, direct)).toMatchObject({
      node: 'n1',
      kind: 'route',
      entry: expect.stringMatching(/follows `10\.244\.2\.0\/26 via 172\.18\.0\.1 .*external\/router has no way there/),
    })
  })

  test.each([
    ['Always', 'link', 'vxlan.calico is down'],
    // nodes of one subnet need no tunnel then: the route is missing for another reason
    ['CrossSubnet', 'missing-route', 'no route to 10.244.2.0/26'],
    ['Never', 'missing-route', 'no route to 10.244.2.0/26'],
  ])('the tunnel device is down, vxlanMode %s', (mode, kind, entry) => {
    const down = (m: Made): void => {
      remove(m.n1.routes, '10.244.2.0/26')
      m.n1.links.push({ name: 'vxlan.calico', kind: 'vxlan', address: '10.244.1.0/32', local: '172.18.0.11', down: true })
      Object.assign(m.objects['ippools.crd.projectcalico.org']?.[0] as object, {
        spec: { cidr: '10.244.0.0/16', vxlanMode: mode, ipipMode: 'Never', natOutgoing: true },
      })
    }
    expect(cause(down, direct)).toMatchObject({ node: 'n1', kind, entry: expect.stringContaining(entry) })
  })

  test('a pod without natOutgoing speaks to the outside', () => {
    const off = (m: Made): void => {
      Object.assign(m.objects['ippools.crd.projectcalico.org']?.[0] as object, { spec: { cidr: '10.244.0.0/16', natOutgoing: false } })
    }
    expect(cause(off, { from: p1, dst: '198.51.100.10', port: 80 })).toMatchObject({
      node: 'n1',
      kind: 'missing-rule',
      entry: expect.stringContaining('natOutgoing'),
      object: 'ippool/pool',
    })
  })

  test('an address that nothing in the snapshot has', () => {
    expect(cause(() => {}, { from: p1, dst: '10.99.0.1', port: 80 })).toMatchObject({
      node: 'external/router',
      kind: 'missing-route',
      entry: expect.stringMatching(/n1 sent it by `default .*no pod, service or host/),
    })
  })

  test('the answer goes past the node that had translated the request', () => {
    expect(cause(() => {}, { from: ext, dst: '172.18.0.11', port: 30080 })).toMatchObject({
      node: 'n2',
      kind: 'route',
      entry: expect.stringContaining('past n1, which had translated the request'),
    })
  })
})

describe('at the pod', () => {
  const veth = interfaceOfPod({ namespace: 'shop', name: 'p2' }, made().cluster)

  test('its interface is gone, and the route with it: the blackhole of the block is the symptom', () => {
    const gone = (m: Made): void => {
      m.n2.links.pop()
      remove(m.n2.routes, '10.244.2.2 ')
    }
    expect(cause(gone, direct)).toMatchObject({
      node: 'n2',
      kind: 'link',
      entry: expect.stringMatching(`^${veth} of pod shop/p2 is gone: no route to pod shop/p2 10\\.244\\.2\\.2 .*blackhole`),
      object: 'pod/shop/p2',
    })
  })

  test('its interface is down', () => {
    const down = (m: Made): void => {
      m.n2.links.splice(-1, 1, { name: veth, down: true })
      remove(m.n2.routes, '10.244.2.2 ')
    }
    expect(cause(down, direct)).toMatchObject({
      node: 'n2',
      kind: 'link',
      entry: expect.stringContaining(`${veth} of pod shop/p2 is down`),
    })
  })

  test('its interface and its route are there, and a rule of routing leads past them', () => {
    const past = (m: Made): void => {
      m.n2.routes.push('blackhole default table 100')
      m.files['nodes/n2/ip-rule.json'] = JSON.stringify([
        { priority: 0, src: 'all', table: 'local' },
        { priority: 500, src: 'all', dst: '10.244.2.2', table: '100' },
        { priority: 32766, src: 'all', table: 'main' },
      ])
    }
    expect(cause(past, direct)).toMatchObject({ node: 'n2', kind: 'route', entry: expect.stringContaining('blackhole default') })
  })

  test('of another CNI plugin, whose names tell nothing: that it is gone is not said', () => {
    const gone = (m: Made): void => {
      m.n2.links.pop()
      remove(m.n2.routes, '10.244.2.2 ')
      for (const kind of Object.keys(m.objects)) if (kind.includes('calico')) delete m.objects[kind]
    }
    expect(cause(gone, direct)).toMatchObject({
      kind: 'missing-route',
      entry: expect.stringMatching(/^no route to pod shop\/p2 10\.244\.2\.2/),
    })
  })

  test('its interface is there, only the route is not', () => {
    expect(cause((m) => remove(m.n2.routes, '10.244.2.2 '), direct)).toMatchObject({
      node: 'n2',
      kind: 'missing-route',
      entry: expect.stringContaining('no route to pod shop/p2 10.244.2.2'),
    })
  })

  test('IPAM gave the address to a pod that is gone', () => {
    const leaked = (m: Made): void => {
      m.objects['ipamblocks.crd.projectcalico.org'] = [
        block('10.244.1.0/26', 'n1', { 2: 'shop/p1' }),
        block('10.244.2.0/26', 'n2', { 2: 'shop/p2', 5: 'ops/ghost' }),
      ]
    }
    expect(cause(leaked, { from: p1, dst: '10.244.2.5', port: 80 })).toMatchObject({
      node: 'n2',
      kind: 'endpoint',
      entry: '10.244.2.5 is allocated to ops/ghost (IPAM block 10.244.2.0/26), but there is no such pod',
      evidence: { file: 'cluster/ipamblocks.crd.projectcalico.org.json' },
    })
  })

  test('IPAM gave the address to nobody', () => {
    expect(cause(() => {}, { from: p1, dst: '10.244.2.9', port: 80 })).toMatchObject({
      node: 'n2',
      kind: 'endpoint',
      entry: expect.stringContaining('no pod has 10.244.2.9: IPAM has not given it out'),
    })
  })

  test('nobody listens', () => {
    expect(cause(() => {}, { ...direct, port: 9 })).toMatchObject({
      node: 'n2',
      kind: 'listener',
      entry: 'nothing listens on tcp/9 of pod/shop/p2',
    })
  })
})

describe('inside a pod', () => {
  const veth = interfaceOfPod({ namespace: 'shop', name: 'p1' }, made().cluster)

  /** pod p1 with a dump of its own; both ends of its veth are the third and second device */
  const inside = (m: Made, links: MadeHost['links'], routes: string[]): void => {
    m.n1.links.splice(-1, 1, { name: veth, peer: 2 })
    Object.assign(m.files, hostFiles('pods/shop_p1', { ...empty(), links, routes }, false))
  }
  const eth0 = { name: 'eth0', address: '10.244.1.2/32', peer: 3 }
  const gateway = ['default via 169.254.1.1 dev eth0', '169.254.1.1 dev eth0 scope link']

  test('as it should be', () => {
    expect(
      causes(
        made((m) => inside(m, [eth0], gateway)),
        direct,
      ),
    ).toEqual([])
  })

  test.each([
    ['proxy_arp', '0', '1', `net.ipv4.conf.${veth}.proxy_arp = 0: no neighbour answers for 169.254.1.1 on eth0`],
    ['forwarding', '0', '1', `net.ipv4.conf.${veth}.forwarding = 0`],
    ['forwarding', '0', '0', 'net.ipv4.ip_forward = 0: n1 answers no proxy ARP'],
  ])('the gateway is silent: %s=%s, ip_forward=%s', (name, value, all, entry) => {
    const silent = (m: Made): void => {
      inside(m, [eth0], gateway)
      Object.assign(m.n1.sysctls, { [name]: value, 'net.ipv4.ip_forward': all })
    }
    expect(cause(silent, direct)).toMatchObject({ node: 'n1', kind: 'sysctl', entry: expect.stringContaining(entry) })
  })

  test('the veth pair is gone: the pod is left with lo', () => {
    const gone = (m: Made): void => {
      inside(m, [], ['local 127.0.0.1 dev lo table local'])
      m.n1.links.pop()
    }
    expect(cause(gone, direct)).toMatchObject({
      node: 'n1',
      kind: 'link',
      entry: `${veth} of pod shop/p1 is gone on n1: it has no interface of its own left`,
      evidence: { file: expect.stringContaining('pods/shop_p1/') },
    })
  })
})

describe('rules of others and the kernel', () => {
  test("docker's policy, and a chain that somebody jumps to", () => {
    expect(cause((m) => (m.n1.policies.FORWARD = 'DROP'), direct)).toMatchObject({
      node: 'n1',
      kind: 'rule',
      entry: 'policy of FORWARD is DROP: :FORWARD DROP [0:0] (filter)',
    })
    const user = (m: Made): void => void m.n2.filter.push('-A FORWARD -j DOCKER-USER', '-A DOCKER-USER -s 10.244.1.0/26 -j DROP')
    expect(cause(user, direct)).toMatchObject({
      node: 'n2',
      kind: 'rule',
      entry: '-A DOCKER-USER -s 10.244.1.0/26 -j DROP (filter FORWARD)',
      evidence: { text: '-A DOCKER-USER -s 10.244.1.0/26 -j DROP' },
    })
  })

  test('forwarding is off, for the node or for one device', () => {
    const off = (m: Made): void => void Object.assign(m.n2.sysctls, { 'net.ipv4.ip_forward': '0', forwarding: '0' })
    expect(cause(off, direct)).toMatchObject({
      node: 'n2',
      kind: 'sysctl',
      entry: expect.stringMatching(/^net\.ipv4\.ip_forward = 0/),
      evidence: { text: 'net.ipv4.ip_forward = 0' },
    })
    const one = (m: Made): void => {
      m.n2.sysctls = { 'net.ipv4.conf.eth0.forwarding': '0', ...m.n2.sysctls, forwarding: '1' }
      delete m.n2.sysctls.forwarding
      m.n2.sysctls['net.ipv4.conf.all.forwarding'] = '1'
    }
    expect(cause(one, direct)).toMatchObject({
      node: 'n2',
      kind: 'sysctl',
      entry: expect.stringContaining('net.ipv4.conf.eth0.forwarding = 0'),
    })
  })

  test('reverse path: the sysctl, and the way that an answer would take', () => {
    const strict = (m: Made): void => {
      m.n2.sysctls.rp_filter = '1'
      remove(m.n2.routes, '10.244.1.0/26')
      m.n2.links.push({ name: 'eth1', address: '172.19.0.12/24' })
      m.n2.routes.push('172.19.0.0/24 dev eth1 scope link', '10.244.1.0/26 via 172.19.0.1 dev eth1')
    }
    expect(cause(strict, direct)).toMatchObject({
      node: 'n2',
      kind: 'sysctl',
      entry: expect.stringMatching(/rp_filter = 1.*but by `10\.244\.1\.0\/26 via 172\.19\.0\.1 dev eth1`/),
      evidence: { text: expect.stringContaining('rp_filter = 1') },
    })
  })
})

import { describe, expect, test } from 'vitest'
import { parseLinks } from '../../../src/kernel/link/parse.ts'
import { needs } from '../../support/needs.ts'
import { dump, dumps } from '../dumps.ts'
import { refusesBadJson } from '../hostile.ts'

describe('parseLinks', () => {
  refusesBadJson((text, file) => parseLinks(text, file))
  refusesBadJson((text, file) => parseLinks('[]', 'addr', text, file))

  test('the dump of ip link is no dump of ip addr', () => {
    expect(() => parseLinks('[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK"],"mtu":65536}]', 'f')).toThrow('`addr_info`')
    expect(() => parseLinks('[{"dst":"default","dev":"eth0"}]', 'f')).toThrow('a device must have')
  })

  test('bridges and their ports; what is not as usual is named', () => {
    const device = (ifindex: number, ifname: string, more: object) => ({
      ifindex,
      ifname,
      flags: ['UP'],
      mtu: 1500,
      addr_info: [],
      ...more,
    })
    const bridge = (data: object) => device(1, 'br0', { promiscuity: 1, linkinfo: { info_kind: 'bridge', info_data: data } })
    const port = (data?: object) =>
      device(2, 'v0', { master: 'br0', linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge', ...(data && { info_slave_data: data }) } })
    const parse = (...list: readonly object[]) => parseLinks(JSON.stringify(list), 'addr', JSON.stringify(list), 'link')
    const [br0, v0] = parse(
      bridge({ vlan_filtering: 0, nf_call_iptables: 1, nf_call_ip6tables: 0 }),
      port({ state: 'blocking', hairpin: true, isolated: true, learning: true, flood: false, neigh_suppress: true }),
    )
    expect(br0).toMatchObject({ promiscuity: 1, bridge: { nfCall: { 4: true, 6: false }, unmodelled: [] } })
    expect(v0?.port).toEqual({ state: 'blocking', hairpin: true, isolated: true, unmodelled: ['flood', 'neigh_suppress'] })
    expect(parse(bridge({ vlan_filtering: 1 }))[0]?.bridge?.unmodelled).toEqual(['vlan_filtering'])
    expect(parse(port())[0]?.port).toEqual({ hairpin: false, isolated: false, unmodelled: [] })
    expect(parse(device(3, 'v1', { linkinfo: { info_kind: 'veth', info_slave_kind: 'bond' } }))[0]?.port).toBeUndefined()
  })

  test('addresses: peers, secondary, deprecated, tentative; empty objects are hidden devices', () => {
    const entry = {
      ifindex: 3,
      ifname: 'v0',
      flags: ['BROADCAST', 'UP', 'LOWER_UP'],
      mtu: 1500,
      link_type: 'ether',
      address: 'EE:EE:EE:EE:EE:EE',
      link_index: 2,
      link_netnsid: 4,
      group: 'default',
      addr_info: [
        { family: 'inet', local: '10.0.0.1', address: '10.9.0.1', prefixlen: 32, scope: 'global' },
        { family: 'inet', local: '10.0.0.2', prefixlen: 24, broadcast: '10.0.0.255', scope: 'link', secondary: true },
        { family: 'inet6', local: 'fd00::1', prefixlen: 64, scope: 'global', deprecated: true, temporary: true, preferred_life_time: 0 },
        { family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link', tentative: true },
      ],
    }
    const [link] = parseLinks(JSON.stringify([{}, entry, {}]), 'f')
    expect(link).toMatchObject({ index: 3, kind: 'ether', up: true, running: true, mac: 'ee:ee:ee:ee:ee:ee', peerIndex: 2, peerNetnsId: 4 })
    expect(
      link?.addresses.map((a) => [a.ip.text, a.peer?.text, a.prefixLength, a.scope, a.secondary, a.deprecated, a.tentative, a.temporary]),
    ).toEqual([
      ['10.0.0.1', '10.9.0.1', 32, 'global', false, false, false, false],
      ['10.0.0.2', undefined, 24, 'link', true, false, false, false],
      ['fd00::1', undefined, 64, 'global', false, true, false, true],
      ['fe80::1', undefined, 64, 'link', false, false, true, false],
    ])
  })

  test.runIf(needs('captures'))('a recorded node: the kinds of its devices and its tunnel', () => {
    const dir = 'random-4/nodes/n1/'
    const links = parseLinks(dump(`${dir}ip-addr.json`), 'a', dump(`${dir}ip-link.json`), 'l')
    expect(links.find((l) => l.name === 'lo')?.kind).toBe('loopback')
    expect(links.find((l) => l.name === 'vxlan-v6.calico')).toMatchObject({
      kind: 'vxlan',
      up: true,
      vxlan: { id: 4096, port: 4789, lower: 'eth0', learning: false, local: { family: 6 } },
    })
    expect(links.find((l) => l.name.startsWith('cali'))).toMatchObject({ kind: 'veth', mac: 'ee:ee:ee:ee:ee:ee' })
    // in their own namespace the other end of a cali device is eth0
    expect(links.every((l) => l.kind !== 'veth' || l.peerIndex !== undefined)).toBe(true)
  })

  test('tunnels: ends that are open, what they are bound to, TTL and DF', () => {
    const device = (info_kind: string, info_data: object) => {
      const detail = { ifindex: 9, ifname: 't', flags: ['NOARP', 'UP'], mtu: 1480, linkinfo: { info_kind, info_data } }
      return parseLinks(JSON.stringify([{ ...detail, addr_info: [] }]), 'a', JSON.stringify([detail]), 'l')[0]
    }
    const any = { proto: 'any', remote: 'any', local: 'any', ttl: 0, pmtudisc: false }
    expect(device('ipip', any)?.ipip).toEqual({ ttl: 0, pmtudisc: false, fwmark: 0, unmodelled: [] })
    const fixed = {
      proto: 'ipip',
      remote: '10.0.0.2',
      local: '10.0.0.1',
      link: 'eth0',
      ttl: 9,
      pmtudisc: true,
      fwmark: '0x200',
      encap: { type: 'none' },
    }
    expect(device('ipip', fixed)?.ipip).toMatchObject({
      remote: { text: '10.0.0.2' },
      local: { text: '10.0.0.1' },
      lower: 'eth0',
      ttl: 9,
      pmtudisc: true,
      fwmark: 0x200,
      unmodelled: [],
    })
    expect(device('ipip', { ...any, proto: 'mplsip', encap: { type: 'gue' } })?.ipip?.unmodelled).toEqual(['encap gue', 'mode mplsip'])
    expect(device('ipip', { external: true })?.ipip?.unmodelled).toEqual(['external'])
    expect(() => device('ipip', { ...any, remote: 'nowhere' })).toThrow('`remote` must be an IP address')
    expect(() => device('ipip', { ...any, ttl: 256 })).toThrow('`ttl`')
    // `ttl inherit` has no key at all (ip/iplink_vxlan.c)
    expect(device('vxlan', { id: 1, df: 'inherit' })?.vxlan).toMatchObject({ ttl: 'inherit', df: 'inherit' })
    expect(device('vxlan', { id: 1, ttl: 0 })?.vxlan).toMatchObject({ ttl: 0, df: 'unset' })
  })

  test.runIf(needs('captures'))('every recorded dump', () => {
    for (const { file, text } of dumps('ip-addr.json'))
      expect(
        parseLinks(text, file).some((l) => l.name === 'lo'),
        file,
      ).toBe(true)
  })
})

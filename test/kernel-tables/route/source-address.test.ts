import { describe, expect, test } from 'vitest'
import { parseLinks } from '../../../src/kernel/link/parse.ts'
import { masqueradeSource, type SourceQuery, selectSource } from '../../../src/kernel/route/source-address.ts'
import { ip } from '../../../src/net/ip.ts'
import { needs } from '../../support/needs.ts'
import { dump } from '../dumps.ts'

/** `eth0: ['172.18.0.11/24', 'fd18::11/64']`, in ifindex order; `10.0.0.1/24 link secondary` */
function links(devices: Record<string, readonly string[]>) {
  const entries = Object.entries(devices).map(([ifname, addresses], i) => ({
    ifindex: i + 1,
    ifname,
    flags: ['UP'],
    mtu: 1500,
    addr_info: addresses.map((text) => {
      const [address = '', ...flags] = text.split(' ')
      const [local, length] = address.split('/')
      const scope = flags.find((f) => f === 'link' || f === 'host') ?? 'global'
      return { local, prefixlen: Number(length), scope, ...Object.fromEntries(flags.filter((f) => f !== scope).map((f) => [f, true])) }
    }),
  }))
  return parseLinks(JSON.stringify(entries), 'f')
}

const choose = (
  devices: Record<string, readonly string[]>,
  dst: string,
  device: string,
  more: Partial<Omit<SourceQuery, 'gateway'>> & { gateway?: string } = {},
) => {
  const { gateway, ...rest } = more
  return selectSource(links(devices), {
    family: ip(dst).family,
    dst: ip(dst),
    device,
    ...rest,
    ...(gateway ? { gateway: ip(gateway) } : {}),
  })?.text
}

const lo = ['127.0.0.1/8 host', '::1/128 host']

describe('IPv4', () => {
  test('the src of the route wins', () => {
    expect(choose({ lo, eth0: ['10.0.0.1/24'] }, '10.9.0.1', 'eth0', { prefsrc: ip('10.7.7.7') })).toBe('10.7.7.7')
  })

  test('the address whose subnet holds the gateway, else the first', () => {
    const devices = { lo, eth0: ['10.0.0.1/24', '10.0.1.1/24', '10.0.1.2/24 secondary'] }
    expect(choose(devices, '8.8.8.8', 'eth0', { gateway: '10.0.1.254' })).toBe('10.0.1.1')
    expect(choose(devices, '8.8.8.8', 'eth0', { gateway: '10.9.9.9' })).toBe('10.0.0.1')
    // without a gateway there is no hint: the destination plays no part
    expect(choose(devices, '10.0.1.7', 'eth0')).toBe('10.0.0.1')
  })

  test('a device without an address takes the first global one by ifindex, never loopback or scope link', () => {
    expect(choose({ lo, a: ['169.254.0.5/16 link'], eth0: ['172.18.0.11/24'], cali1: [] }, '10.244.0.5', 'cali1')).toBe('172.18.0.11')
    expect(choose({ lo, cali1: [] }, '10.244.0.5', 'cali1')).toBeUndefined()
  })

  test('scope link is narrow enough for a neighbour, not for a gateway', () => {
    const devices = { lo, eth0: ['169.254.0.5/16 link'], eth1: ['10.0.0.1/24'] }
    expect(choose(devices, '169.254.0.9', 'eth0', { scope: 'link' })).toBe('169.254.0.5')
    expect(choose(devices, '8.8.8.8', 'eth0', { gateway: '169.254.0.1' })).toBe('10.0.0.1')
  })

  test('the subnet of a point-to-point address is that of its peer', () => {
    const peers = parseLinks(
      JSON.stringify([
        {
          ifindex: 1,
          ifname: 'p',
          flags: ['UP'],
          mtu: 1,
          addr_info: [
            { local: '10.0.0.1', prefixlen: 24 },
            { local: '10.0.0.2', address: '10.5.0.1', prefixlen: 24 },
          ],
        },
      ]),
      'f',
    )
    expect(selectSource(peers, { family: 4, dst: ip('8.8.8.8'), device: 'p', gateway: ip('10.5.0.9') })?.text).toBe('10.0.0.2')
  })

  test('MASQUERADE asks the device with the next hop as hint, whatever the route says', () => {
    const l = links({ lo, eth0: ['172.18.0.11/24', '172.19.0.11/24'], 'vxlan.calico': ['10.244.40.128/32'], cali1: [] })
    expect(masqueradeSource(l, 4, 'vxlan.calico', ip('10.244.98.5'), ip('10.244.98.0'))?.text).toBe('10.244.40.128')
    expect(masqueradeSource(l, 4, 'cali1', ip('10.244.40.129'))?.text).toBe('172.18.0.11')
    expect(masqueradeSource(l, 4, 'eth0', ip('172.19.0.7'))?.text).toBe('172.19.0.11')
  })
})

// RFC 6724 section 5, rule by rule
describe('IPv6', () => {
  test.each<[string, Record<string, readonly string[]>, string, string, string | undefined]>([
    ['1: the destination itself', { eth0: ['fd00::1/64', 'fd00::2/64'] }, 'fd00::2', 'eth0', 'fd00::2'],
    ['2: link-local sources for link-local destinations only', { eth0: ['fd00::1/64', 'fe80::1/64 link'] }, 'fe80::9', 'eth0', 'fe80::1'],
    ['2: and then of the same link', { eth0: [], eth1: ['fe80::1/64 link'] }, 'fe80::9', 'eth0', undefined],
    [
      '2: a scope that is wide enough before one that is not',
      { eth0: ['fe80::1/64 link'], eth1: ['fd00::1/64'] },
      '2001:db8::1',
      'eth0',
      'fd00::1',
    ],
    ['3: not the deprecated one', { eth0: ['fd00::1/64 deprecated', 'fd01::1/64'] }, 'fd00::9', 'eth0', 'fd01::1'],
    ['tentative addresses are none', { eth0: ['fd00::1/64 tentative'] }, 'fd00::9', 'eth0', undefined],
    ['5: the outgoing device', { eth1: ['fd00::1/64'], eth0: ['fd01::1/64'] }, 'fd00::9', 'eth0', 'fd01::1'],
    ['6: the label', { eth0: ['fd00::1/64', '2001:db8:1::1/64'] }, '2400::1', 'eth0', '2001:db8:1::1'],
    ['7: a public address before a temporary one', { eth0: ['fd00::1/64 temporary', 'fd01::1/64'] }, 'fd00::9', 'eth0', 'fd01::1'],
    ['8: the longest prefix', { eth0: ['fd00:1::1/64', 'fd00:2::1/64'] }, 'fd00:2:0:1::9', 'eth0', 'fd00:2::1'],
    ['8: cut at the length of the address itself', { eth0: ['fd00:1::1/16', 'fd00:2::1/32'] }, 'fd00:1::9', 'eth0', 'fd00:2::1'],
    ['of equals the first', { eth0: ['fd00:0:0:1::1/64', 'fd00:0:0:1::2/64'] }, 'fd00:9::9', 'eth0', 'fd00:0:0:1::1'],
    ['::1 where nothing else is', { lo: ['::1/128 host'], eth0: [] }, 'fd00::9', 'eth0', '::1'],
  ])('%s', (_name, devices, dst, device, expected) => {
    expect(choose(devices, dst, device)).toBe(expected)
  })
})

describe.runIf(needs('captures'))('recorded nodes, as their packets proved', () => {
  const node = (capture: string) => parseLinks(dump(`${capture}/nodes/n1/ip-addr.json`), 'a', dump(`${capture}/nodes/n1/ip-link.json`), 'l')
  test('node → local pod: IPv4 takes the first global address, IPv6 that of the tunnel by its prefix', () => {
    const l = node('random-4')
    const cali = l.find((x) => x.name.startsWith('cali'))?.name as string
    const tunnel = l.find((x) => x.name === 'vxlan-v6.calico')?.addresses.find((a) => a.ip.family === 6 && a.scope === 'global')?.ip
    expect(selectSource(l, { family: 4, dst: ip('10.244.1.5'), device: cali, scope: 'link' })).toEqual(
      l.find((x) => x.name === 'eth0')?.addresses.find((a) => a.ip.family === 4)?.ip,
    )
    expect(selectSource(l, { family: 6, dst: ip('fd00:10:244:93:e83c:c9a6:7f8b:bb81'), device: cali })).toEqual(tunnel)
  })
})

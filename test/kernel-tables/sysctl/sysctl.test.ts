import { describe, expect, test } from 'vitest'
import {
  acceptLocal,
  arpIgnore,
  bridgeNfCall,
  forwarding,
  linkdownIgnored,
  proxyArp,
  routeLocalnet,
  rpFilter,
  srcValidMark,
} from '../../../src/kernel/sysctl/effective.ts'
import { parseSysctl } from '../../../src/kernel/sysctl/parse.ts'
import { needs } from '../../support/needs.ts'
import { dump, dumps } from '../dumps.ts'
import { refusesBadText } from '../hostile.ts'

const sysctls = (lines: Record<string, string | number>) =>
  parseSysctl(
    Object.entries(lines)
      .map(([k, v]) => `${k} = ${v}`)
      .join('\n'),
    'sysctl.txt',
  )
const conf = (name: string, all: number | undefined, own: number | undefined, family = 4) =>
  sysctls({
    'net.core.x': 0,
    ...(all === undefined ? {} : { [`net.ipv${family}.conf.all.${name}`]: all }),
    ...(own === undefined ? {} : { [`net.ipv${family}.conf.eth0/100.${name}`]: own }),
  })

describe('parseSysctl', () => {
  refusesBadText(parseSysctl)

  test('values may be empty or hold blanks; keys may be written with slashes; the last counts', () => {
    const s = parseSysctl(
      'net.ipv4.ip_local_reserved_ports = \nnet.ipv4.ip_local_port_range = 32768\t60999\nnet/ipv4/conf/eth0.100/forwarding = 1\nnet.ipv4.ip_forward = 0\nnet.ipv4.ip_forward=1\n',
      'f',
    )
    expect(s.get('net.ipv4.ip_local_reserved_ports')).toEqual({ value: '', line: 1 })
    expect(s.get('net.ipv4.conf.eth0/100.forwarding')).toEqual({ value: '1', line: 3 })
    expect(s.get('net.ipv4.ip_forward')).toEqual({ value: '1', line: 5 })
    expect(s.get('net.ipv4.ip_local_port_range')?.value).toBe('32768\t60999')
    expect(s.get('__proto__')).toBeUndefined()
  })

  test('an empty dump is none', () => {
    expect(() => parseSysctl('\n', 'f')).toThrow('empty')
  })
})

describe('what a setting comes to for a device', () => {
  test.each([
    [0, 1, 1, 'eth0/100'],
    [2, 1, 2, 'all'],
    [1, 2, 2, 'eth0/100'],
    [0, 0, 0, 'eth0/100'],
  ])('rp_filter all %i, device %i', (all, own, value, decides) => {
    expect(rpFilter(conf('rp_filter', all, own), 'eth0.100')).toMatchObject({
      value,
      key: `net.ipv4.conf.${decides}.rp_filter`,
      file: 'sysctl.txt',
    })
    expect(arpIgnore(conf('arp_ignore', all, own), 'eth0.100')?.value).toBe(value)
  })

  test('half of rp_filter is not enough to know it', () => {
    expect(rpFilter(conf('rp_filter', undefined, 1), 'eth0.100')).toBeUndefined()
    expect(rpFilter(conf('rp_filter', 1, undefined), 'eth0.100')).toBeUndefined()
    expect(rpFilter(undefined, 'eth0')).toBeUndefined()
  })

  test.each([
    ['accept_local', acceptLocal],
    ['src_valid_mark', srcValidMark],
    ['route_localnet', routeLocalnet],
    ['proxy_arp', proxyArp],
  ] as const)('%s: all or device', (name, effective) => {
    expect(effective(conf(name, 1, 0), 'eth0.100')).toMatchObject({ value: true, key: `net.ipv4.conf.all.${name}` })
    expect(effective(conf(name, 0, 1), 'eth0.100')).toMatchObject({ value: true, key: `net.ipv4.conf.eth0/100.${name}` })
    expect(effective(conf(name, 0, 0), 'eth0.100')?.value).toBe(false)
    // one that is set decides alone, one that is not does not
    expect(effective(conf(name, 1, undefined), 'eth0.100')?.value).toBe(true)
    expect(effective(conf(name, 0, undefined), 'eth0.100')).toBeUndefined()
  })

  test('forwarding: IPv4 by the incoming device, IPv6 by the host or force_forwarding', () => {
    expect(forwarding(conf('forwarding', 1, 0), 4, 'eth0.100')?.value).toBe(false)
    expect(forwarding(conf('forwarding', 1, undefined), 4, 'eth0.100')).toBeUndefined()
    expect(forwarding(conf('forwarding', 1, 0, 6), 6, 'eth0.100')).toMatchObject({ value: true, key: 'net.ipv6.conf.all.forwarding' })
    expect(forwarding(sysctls({ 'net.ipv6.conf.all.forwarding': 0, 'net.ipv6.conf.e.force_forwarding': 1 }), 6, 'e')?.value).toBe(true)
  })

  test('settings of bridges', () => {
    const s = sysctls({ 'net.bridge.bridge-nf-call-iptables': 1, 'net.bridge.bridge-nf-call-ip6tables': 0 })
    expect([bridgeNfCall(s, 4)?.value, bridgeNfCall(s, 6)?.value]).toEqual([true, false])
  })

  test('ignore_routes_with_linkdown is that of the device', () => {
    expect([...linkdownIgnored(conf('ignore_routes_with_linkdown', 1, 0), 4, ['eth0.100'])]).toEqual([])
    expect([...linkdownIgnored(conf('ignore_routes_with_linkdown', 0, 1), 4, ['eth0.100', 'lo'])]).toEqual(['eth0.100'])
  })

  test.runIf(needs('captures'))('recorded nodes', () => {
    for (const { file, text } of dumps('sysctl.txt')) expect(parseSysctl(text, file).size, file).toBeGreaterThan(50)
    const s = parseSysctl(dump('vxlan-iptables/nodes/n1/sysctl.txt'), 'sysctl.txt')
    expect(forwarding(s, 4, 'vxlan.calico')).toMatchObject({ value: true, key: 'net.ipv4.conf.vxlan/calico.forwarding' })
    expect(rpFilter(s, 'vxlan.calico')?.value).toBe(0)
  })
})

import { describe, expect, test } from 'vitest'
import { written } from '../../../src/kernel/sysctl/write.ts'

const devices = ['lo', 'eth0', 'eth0.100']

describe('which keys change when one is written', () => {
  test('ip_forward is conf.all.forwarding, and that of every device', () => {
    const keys = [
      'net.ipv4.ip_forward',
      'net.ipv4.conf.all.forwarding',
      'net.ipv4.conf.default.forwarding',
      'net.ipv4.conf.lo.forwarding',
      'net.ipv4.conf.eth0.forwarding',
      'net.ipv4.conf.eth0/100.forwarding',
    ]
    expect(written('net.ipv4.ip_forward', devices)).toEqual({ kind: 'keys', keys })
    expect(written('net.ipv4.conf.all.forwarding', devices)).toEqual({ kind: 'keys', keys })
  })

  test.each([
    ['net.ipv4.conf.all.rp_filter'],
    ['net.ipv4.conf.all.ignore_routes_with_linkdown'],
    ['net.ipv4.conf.eth0/100.rp_filter'],
    ['net.ipv6.conf.eth0.forwarding'],
    ['net.netfilter.nf_conntrack_tcp_loose'],
    ['net.ipv4.vs.conntrack'],
  ])('%s stands alone', (key) => {
    expect(written(key, devices)).toEqual({ kind: 'keys', keys: [key] })
  })

  test('what can’t be told, and what no answer depends on', () => {
    expect(written('net.ipv4.conf.default.rp_filter', devices)).toEqual({ kind: 'default' })
    expect(written('net.ipv4.conf.eth9.rp_filter', devices)).toEqual({ kind: 'no-device', device: 'eth9' })
    for (const key of ['net.core.somaxconn', 'net.ipv4.conf.all.log_martians', 'net.ipv4.conf.eth0', '__proto__'])
      expect(written(key, devices).kind).toBe('unread')
  })
})

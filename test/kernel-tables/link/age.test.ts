import { expect, test } from 'vitest'
import { byAge } from '../../../src/kernel/link/age.ts'
import { parseLinks } from '../../../src/kernel/link/parse.ts'

const device = (ifindex: number, ifname: string, kind: string, local: string, more: object = {}) => ({
  ifindex,
  ifname,
  flags: kind === 'loopback' ? ['LOOPBACK', 'UP'] : ['UP'],
  mtu: 1500,
  link_type: kind === 'loopback' ? 'loopback' : 'ether',
  linkinfo: kind === 'loopback' ? undefined : { info_kind: kind },
  ...more,
  addr_info: local === '' ? [] : [{ local: local.split('/')[0], prefixlen: Number(local.split('/')[1]), scope: 'global' }],
})

const order = (...devices: object[]) => {
  const text = JSON.stringify(devices)
  return byAge(parseLinks(text, 'a', text, 'l'))
    .map((l) => l.name)
    .join(' ')
}

test('numbers tell the age, but of an uplink that was moved in', () => {
  const lo = device(1, 'lo', 'loopback', '')
  const vxlan = device(3, 'vxlan.calico', 'vxlan', '10.244.1.0/32')
  const tunl0 = device(2, 'tunl0', 'ipip', '10.244.1.1/32')
  const pod = device(4, 'cali1', 'veth', '10.0.0.1/32', { link_netnsid: 1 })
  // a container's, as Docker makes it; a machine's own
  const moved = device(24, 'eth0', 'veth', '172.18.0.2/16', { link_netnsid: 0 })
  const card = device(24, 'ens1', 'ether', '172.18.0.2/16')
  expect(order(lo, tunl0, vxlan, pod, moved)).toBe('lo tunl0 eth0 vxlan.calico cali1')
  expect(order(lo, tunl0, vxlan, pod, card)).toBe('lo tunl0 vxlan.calico cali1 ens1')
})

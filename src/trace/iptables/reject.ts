import { type IcmpError, portUnreachable } from '../../net/icmp-error.ts'
import type { Packet } from '../../net/packet.ts'

/** ICMP type and code of `--reject-with` (iptables-extensions(8), net/ipv4/netfilter/ipt_REJECT.c, net/ipv6/netfilter/ip6t_REJECT.c). */
const errors: Readonly<Record<string, readonly [type: number, code: number]>> = {
  'icmp-net-unreachable': [3, 0],
  'icmp-host-unreachable': [3, 1],
  'icmp-proto-unreachable': [3, 2],
  'icmp-port-unreachable': [3, 3],
  'icmp-net-prohibited': [3, 9],
  'icmp-host-prohibited': [3, 10],
  'icmp-admin-prohibited': [3, 13],
  'icmp6-no-route': [1, 0],
  'no-route': [1, 0],
  'icmp6-adm-prohibited': [1, 1],
  'adm-prohibited': [1, 1],
  'icmp6-addr-unreachable': [1, 3],
  'addr-unreach': [1, 3],
  'icmp6-port-unreachable': [1, 4],
  'port-unreach': [1, 4],
  'icmp6-policy-fail': [1, 5],
  'policy-fail': [1, 5],
  'icmp6-reject-route': [1, 6],
  'reject-route': [1, 6],
}

/** What REJECT sends; a reset only for TCP. */
export function rejectWith(type: string, packet: Packet): IcmpError | 'rst' {
  if (type === 'tcp-reset' || type === 'tcp-rst') return 'rst'
  const error = errors[type]
  return error ? { type: error[0], code: error[1] } : portUnreachable(packet.family)
}

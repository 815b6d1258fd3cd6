/** Random rules, each with one match (and what it needs beside it), for packets of random-sets.ts. */
import type { Family } from '../../src/net/ip.ts'
import type { Random } from './random.ts'
import { hosts, ports } from './random-sets.ts'

/**
 * Words of rules without target (no `! -o +`, which never matches and which iptables-nft prints back as nothing):
 * sets in random directions, then every match that a packet from here to here can meet.
 */
export function randomRules(random: Random, family: Family, sets: readonly (readonly [string, string])[]): string[] {
  const not = () => (random.chance(0.3) ? '! ' : '')
  const host = () => random.pick(hosts(family))
  const port = () => String(random.pick(ports))
  const range = () => `${random.pick([1, 80, 81, 900])}:${random.pick([80, 81, 1000, 65535])}`
  const ordered = () => {
    const [lo = 0, hi = 0] = range().split(':').map(Number)
    return lo <= hi ? `${lo}:${hi}` : `${hi}:${lo}`
  }
  const direction = () => random.pick(['src', 'dst'])
  const rules: string[] = []
  for (const [name, type] of sets) {
    const n = type.split(',').length
    for (let k = 0; k < 4; k++) {
      const list = Array.from({ length: Math.max(1, n + random.pick([0, 0, 0, 1, -1])) }, direction)
      rules.push(`-m set ${not()}--match-set ${name} ${list.join(',')}${random.chance(0.2) ? ' --return-nomatch' : ''}`)
    }
  }
  const bits = family === 4 ? [32, 30, 24, 8] : [128, 127, 112, 64]
  const icmp = family === 4 ? '-p icmp -m icmp' : '-p ipv6-icmp -m icmp6'
  const icmpType = () =>
    family === 4
      ? `--icmp-type ${random.pick(['8', '13', '8/0', '8/1', 'any'])}`
      : `--icmpv6-type ${random.pick(['128', '200', '200/1', '200/2'])}`
  for (let k = 0; k < 3; k++) {
    rules.push(
      `${not()}-s ${host()}/${random.pick(bits)}`,
      `${not()}-d ${host()}/${random.pick(bits)}`,
      `${not()}-s ${host()}/${family === 4 ? random.pick(['255.0.255.0', '0.255.0.255', '255.255.255.3']) : random.pick(['ffff::ffff', '::3', 'ffff::ffff:0'])}`,
      `${not()}-o ${random.pick(['lo', 'l+', 'eth0', 'lo+'])}`,
      `${not()}-p ${random.pick(['tcp', 'udp', 'sctp', 'gre', '17'])}`,
      `-p tcp -m tcp ${not()}--dport ${port()}`,
      `-p udp -m udp ${not()}--sport ${ordered()} ${not()}--dport ${ordered()}`,
      `-p sctp -m sctp ${not()}--sport ${port()}`,
      `-p tcp -m tcp ${not()}--tcp-flags ${random.pick(['SYN,RST', 'ALL', 'ACK,FIN,PSH', 'URG'])} ${random.pick(['SYN', 'NONE', 'ACK'])}`,
      `-p tcp -m multiport ${not()}--dports ${port()},${ordered()}`,
      `-p udp -m multiport ${not()}--ports ${port()}`,
      `-p sctp -m multiport ${not()}--sports ${port()}`,
      `${icmp} ${not()}${icmpType()}`,
      `-m mark ${not()}--mark ${random.pick(['0x1', '0x3/0x3', '0x0/0x4', '0x80000000/0x80000000', '0xfff00000/0xfff00000', '0x5/0x1'])}`,
      `-m connmark ${not()}--mark ${random.pick(['0x0', '0x1/0x1'])}`,
      `-m conntrack ${not()}--ctstate ${random.pick(['NEW', 'INVALID', 'RELATED,ESTABLISHED', 'DNAT', 'NEW,SNAT', 'UNTRACKED'])}`,
      `-m conntrack --ctdir ${random.pick(['ORIGINAL', 'REPLY'])}`,
      `-m conntrack ${not()}--ctstatus ${random.pick(['CONFIRMED', 'ASSURED', 'SEEN_REPLY,CONFIRMED', 'NONE'])}`,
      `-m conntrack ${not()}--ctstate INVALID --ctdir ${random.pick(['ORIGINAL', 'REPLY'])}`,
      `-m state ${not()}--state ${random.pick(['NEW', 'INVALID,ESTABLISHED'])}`,
      `-m iprange ${not()}--src-range ${[host(), host()].sort().join('-')}`,
      `-m length ${not()}--length ${random.pick(['28', '40:60', '48', '0:65535', '68:100', '84'])}`,
      `-m ${family === 4 ? 'ttl' : 'hl'} ${family === 4 ? '--ttl' : '--hl'}-${random.pick(['eq', 'lt', 'gt'])} ${random.pick([1, 64, 2, 254])}`,
      `-m tos ${not()}--tos ${random.pick(['0x0/0xff', '0x10/0x3f'])}`,
      `-m dscp ${not()}--dscp ${random.pick(['0x00', '0x2e'])}`,
      `-m addrtype ${not()}--dst-type ${random.pick(['LOCAL', 'UNICAST', 'UNICAST,LOCAL', 'MULTICAST'])}`,
      `-m addrtype ${not()}--src-type LOCAL --limit-iface-out`,
      `-m owner ${not()}--socket-exists`,
      `-m physdev ${not()}--physdev-is-bridged`,
      `-m pkttype ${not()}--pkt-type ${random.pick(['unicast', 'multicast', 'broadcast'])}`,
      `-m limit --limit 1000/sec --limit-burst 1000`,
      `-m quota ${not()}--quota 1000000`,
      `-m helper ${not()}--helper ftp`,
      `-m recent ${not()}--set --name a${k} --rsource`,
      `-m statistic --mode random --probability 1`,
      `-m comment --comment "what's \\"this\\" \\\\ ${k}"`,
      `-m realm ${not()}--realm 0x1`,
      `-m u32 --u32 "0x0&0xffff=0x1c"`,
      `-m string --string a${k} --algo bm`,
      `-m time --timestart 10:00 --timestop 11:00`,
    )
    if (family === 6)
      rules.push(`-m frag ${not()}--fragid 1:5`, `-m rt ${not()}--rt-type 2`, `-m hbh ${not()}--hbh-len 8`, `-m dst ${not()}--dst-len 8`)
    if (family === 4) rules.push(`${not()}-f`, `-m ah ${not()}--ahspi 5`.replace('-m', '-p ah -m'))
  }
  return rules
}

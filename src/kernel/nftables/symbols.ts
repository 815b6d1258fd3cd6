import { protocolNumbers } from '../../net/packet.ts'

/** Names that nft prints for numbers, by data type (`nft describe TYPE`; src/datatype.c, src/ct.c, src/proto.c, src/fib.c, src/meta.c of nftables). */
const NAMES: Readonly<Record<string, string>> = {
  boolean: 'missing 0 exists 1',
  ct_state: 'invalid 1 established 2 related 4 new 8 untracked 64',
  ct_status: 'expected 1 seen-reply 2 assured 4 confirmed 8 snat 16 dnat 32 dying 512',
  ct_dir: 'original 0 reply 1',
  ct_event: 'new 1 related 2 destroy 4 reply 8 assured 16 protoinfo 32 helper 64 mark 128 seqadj 256 secmark 512 label 1024',
  ether_type: 'ip 0x800 arp 0x806 ip6 0x86dd 8021q 0x8100 8021ad 0x88a8 vlan 0x8100',
  icmp_type:
    'echo-reply 0 destination-unreachable 3 source-quench 4 redirect 5 echo-request 8 router-advertisement 9 router-solicitation 10 ' +
    'time-exceeded 11 parameter-problem 12 timestamp-request 13 timestamp-reply 14 info-request 15 info-reply 16 ' +
    'address-mask-request 17 address-mask-reply 18',
  icmpv6_type:
    'destination-unreachable 1 packet-too-big 2 time-exceeded 3 parameter-problem 4 echo-request 128 echo-reply 129 ' +
    'mld-listener-query 130 mld-listener-report 131 mld-listener-done 132 mld-listener-reduction 132 nd-router-solicit 133 ' +
    'nd-router-advert 134 nd-neighbor-solicit 135 nd-neighbor-advert 136 nd-redirect 137 router-renumbering 138 ' +
    'ind-neighbor-solicit 141 ind-neighbor-advert 142 mld2-listener-report 143',
  icmp_code:
    'net-unreachable 0 host-unreachable 1 prot-unreachable 2 port-unreachable 3 frag-needed 4 net-prohibited 9 host-prohibited 10 admin-prohibited 13',
  icmpv6_code: 'no-route 0 admin-prohibited 1 addr-unreachable 3 port-unreachable 4 policy-fail 5 reject-route 6',
  icmpx_code: 'no-route 0 port-unreachable 1 host-unreachable 2 admin-prohibited 3',
  dscp:
    'cs0 0 cs1 8 cs2 16 cs3 24 cs4 32 cs5 40 cs6 48 cs7 56 df 0 be 0 lephb 1 af11 10 af12 12 af13 14 af21 18 af22 20 af23 22 ' +
    'af31 26 af32 28 af33 30 af41 34 af42 36 af43 38 va 44 ef 46',
  ecn: 'not-ect 0 ect1 1 ect0 2 ce 3',
  tcp_flag: 'fin 1 syn 2 rst 4 psh 8 ack 16 urg 32 ecn 64 cwr 128',
  pkt_type: 'host 0 unicast 0 broadcast 1 multicast 2 other 3',
  fib_addrtype: 'unspec 0 unicast 1 local 2 broadcast 3 anycast 4 multicast 5 blackhole 6 unreachable 7 prohibit 8',
  nf_proto: 'ipv4 2 ipv6 10',
  igmp_type: 'membership-query 17 membership-report-v1 18 membership-report-v2 22 leave-group 23 membership-report-v3 34',
  dccp_pkttype: 'request 0 response 1 data 2 ack 3 dataack 4 closereq 5 close 6 reset 7 sync 8 syncack 9',
  mh_type:
    'binding-refresh-request 0 home-test-init 1 careof-test-init 2 home-test 3 careof-test 4 binding-update 5 binding-acknowledgement 6 ' +
    'binding-error 7 fast-binding-update 8 fast-binding-acknowledgement 9 fast-binding-advertisement 10 experimental-mobility-header 11 ' +
    'home-agent-switch-message 12',
  arp_op: 'request 1 reply 2 rrequest 3 rreply 4 inrequest 8 inreply 9 nak 10',
  iface_type: 'ether 1 ppp 512 ipip 768 ipip6 769 loopback 772 sit 776 ipgre 778',
  devgroup: 'default 0',
  uid: 'root 0',
  gid: 'root 0',
  // names of /etc/protocols of Debian, which nft takes from the host it runs on
  inet_proto:
    'ggp 3 st 5 egp 8 igp 9 pup 12 hmp 20 xns-idp 22 rdp 27 iso-tp4 29 xtp 36 ddp 37 idpr-cmtp 38 idrp 45 rsvp 46 skip 57 ' +
    'ipv6-nonxt 59 ipv6-opts 60 rspf 73 vmtp 81 eigrp 88 ax.25 93 ipip 94 etherip 97 encap 98 l2tp 115 isis 124 fc 133 ' +
    'mpls-in-ip 137 manet 138 hip 139 shim6 140 wesp 141 rohc 142 ethernet 143',
  // printed by nft before 0.9 and with -S
  inet_service:
    'ftp 21 ssh 22 telnet 23 smtp 25 domain 53 bootps 67 bootpc 68 tftp 69 http 80 kerberos 88 pop3 110 sunrpc 111 ntp 123 ' +
    'imap2 143 snmp 161 bgp 179 ldap 389 https 443 isakmp 500 syslog 514 ldaps 636 imaps 993 nfs 2049 mysql 3306 postgresql 5432 ' +
    'ipsec-nat-t 4500 http-alt 8080',
}

const read = (text: string): ReadonlyMap<string, number> => {
  const words = text.split(' ')
  const map = new Map<string, number>()
  for (let i = 0; i + 1 < words.length; i += 2) map.set(words[i] as string, Number(words[i + 1]))
  return map
}

const tables: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map(
  Object.entries(NAMES).map(([type, text]) => [
    type,
    type === 'inet_proto' ? new Map([...Object.entries(protocolNumbers), ...read(text)]) : read(text),
  ]),
)

/** The number behind a name of a data type; undefined if it has none. */
export const symbol = (type: string, name: string): number | undefined => tables.get(type)?.get(name)

/** Data types whose values are sets of bits: a list of names is their sum, and no operator means the test of bits. */
const BITMASKS = new Set(['ct_state', 'ct_status', 'ct_event', 'ct_label', 'tcp_flag'])

/** Whether values of the type are sets of flags. */
export const isBitmask = (type: string | undefined): boolean => type !== undefined && BITMASKS.has(type)

const PRIORITIES: Readonly<Record<string, number>> = { raw: -300, mangle: -150, dstnat: -100, filter: 0, security: 50, srcnat: 100 }
const BRIDGE_PRIORITIES: Readonly<Record<string, number>> = { dstnat: -300, filter: -200, out: 100, srcnat: 300 }

/** `filter`, `dstnat - 10`, `-110`: the priority of a base chain (nft(8), tables 6 and 7); undefined if it is none. */
export function parsePriority(text: string, family: string): number | undefined {
  const words = /^(-?\d{1,10}|[a-z]+)(?: ?([+-]) ?(\d{1,10}))?$/.exec(text)
  if (!words) return undefined
  const name = words[1] as string
  const names = family === 'bridge' ? BRIDGE_PRIORITIES : PRIORITIES
  const base = Object.hasOwn(names, name) ? (names[name] as number) : Number(name)
  const offset = words[3] === undefined ? 0 : Number(words[3])
  const priority = words[2] === '-' ? base - offset : base + offset
  return Number.isNaN(priority) ? undefined : priority
}

const reversed = new Map<string, ReadonlyMap<number, string>>()

/** The name of a number in a data type, as nft prints it; undefined if it has none. */
export function symbolName(type: string, value: number): string | undefined {
  let names = reversed.get(type)
  if (!names) {
    // of several names the first is printed
    names = new Map([...(tables.get(type) ?? [])].reverse().map(([name, number]) => [number, name]))
    reversed.set(type, names)
  }
  return names.get(value)
}

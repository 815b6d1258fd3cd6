/** The words that tools print of their own accord. A word that is missing here is taken for a name: the dump says less then, never something else. */

const set = (...texts: readonly string[]): ReadonlySet<string> => new Set(texts.flatMap((text) => text.trim().split(/\s+/)))

const PROTOCOLS = `tcp udp udplite icmp icmpv6 ipv6-icmp icmp6 sctp dccp gre esp ah igmp ipencap ipip ipv6 ip ip6 vrrp ospf pim comp etherip l2tp mobility-header
  ipv6-mh unknown all mh ipcomp arp`

const ICMP = `any echo-reply pong destination-unreachable network-unreachable host-unreachable protocol-unreachable port-unreachable fragmentation-needed
  source-route-failed network-unknown host-unknown network-prohibited host-prohibited TOS-network-unreachable TOS-host-unreachable
  communication-prohibited host-precedence-violation precedence-cutoff source-quench redirect network-redirect host-redirect echo-request ping
  router-advertisement router-solicitation time-exceeded ttl-exceeded ttl-zero-during-transit ttl-zero-during-reassembly parameter-problem
  ip-header-bad required-option-missing timestamp-request timestamp-reply address-mask-request address-mask-reply no-route beyond-scope
  address-unreachable failed-policy reject-route packet-too-big bad-header unknown-header-type unknown-option neighbour-solicitation
  neighbor-solicitation neighbour-advertisement neighbor-advertisement info-request info-reply net-unreachable prot-unreachable frag-needed net-prohibited
  admin-prohibited addr-unreachable policy-fail mld-listener-query mld-listener-report mld-listener-done mld-listener-reduction nd-router-solicit
  nd-router-advert nd-neighbor-solicit nd-neighbor-advert nd-redirect router-renumbering ind-neighbor-solicit ind-neighbor-advert mld2-listener-report`

const DSCP = `cs0 cs1 cs2 cs3 cs4 cs5 cs6 cs7 df be lephb af11 af12 af13 af21 af22 af23 af31 af32 af33 af41 af42 af43 va ef`

const SCHEDULERS = `rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh twos`

/** iptables-save and ip6tables-save, beside options and names of matches. */
export const IPTABLES = set(
  PROTOCOLS,
  ICMP,
  DSCP,
  `ACCEPT DROP RETURN QUEUE NOTRACK TRACE MASQUERADE REDIRECT REJECT LOG NFLOG ULOG NFQUEUE SYNPROXY CHECKSUM AUDIT CT MARK CONNMARK CONNSECMARK SECMARK
  CLASSIFY DSCP TOS TTL HL ECN TCPMSS TCPOPTSTRIP TPROXY TEE SET LED IDLETIMER RATEEST HMARK CLUSTERIP NETMAP DNAT SNAT DNPT SNPT MIRROR SAME
  ! - COMMIT *raw *mangle *nat *filter *security raw mangle nat filter security
  INVALID NEW ESTABLISHED RELATED UNTRACKED NONE EXPECTED SEEN_REPLY ASSURED CONFIRMED ORIGINAL REPLY
  UNSPEC UNICAST LOCAL BROADCAST ANYCAST MULTICAST BLACKHOLE UNREACHABLE PROHIBIT THROW NAT XRESOLVE unicast broadcast multicast
  FIN SYN RST ACK PSH URG ALL src dst random nth srcip srcport dstip dstport in out both
  icmp-net-unreachable icmp-host-unreachable icmp-port-unreachable icmp-proto-unreachable icmp-net-prohibited icmp-host-prohibited icmp-admin-prohibited
  icmp6-no-route icmp6-adm-prohibited icmp6-addr-unreachable icmp6-port-unreachable icmp6-policy-fail icmp6-reject-route tcp-reset tcp-rst
  emerg alert crit error warning notice info debug DEFAULT default ftp tftp sip irc pptp h323 snmp amanda netbios-ns
  none strict tunnel transport require unique kernel Mon Tue Wed Thu Fri Sat Sun mss wscale sack sack-perm timestamp`,
)

/** nft list ruleset, and the strings of its JSON. */
export const NFT = set(
  PROTOCOLS,
  ICMP,
  DSCP,
  `table chain set map element elements rule flowtable counter quota limit secmark synproxy ct helper timeout expectation meter last
  inet bridge netdev add insert delete replace flush list type typeof policy hook priority device devices flags comment handle position index
  raw mangle dstnat filter security srcnat out prerouting input forward output postrouting ingress egress nat route
  accept drop continue return jump goto queue reject with reset tcp icmpx level log prefix group snaplen queue-threshold emerg alert crit err warn notice info debug audit
  tcp-sequence tcp-options ip-options skuid ether all
  masquerade redirect snat dnat to random fully-random persistent prefix tproxy notrack dup fwd meta mark payload set update expires timeout gc-interval
  size auto-merge constant interval dynamic concat concatenated dormant owner persist offload
  daddr saddr sport dport protocol length version hdrlength dscp ecn frag-off ttl checksum nexthdr hoplimit flowlabel sequence ackseq doff reserved window urgptr
  code id gateway mtu max-delay parameter-problem taddr vtag cpi spi seq operation htype ptype hlen plen ip ip6 vlan cfi dei pcp th
  hbh dst srh frag rt exthdr exists missing option eol nop maxseg window sack-permitted sack timestamp kind left right tsval tsecr md5sig mptcp fastopen rr ra lsrr ssrr addr
  mh dccp igmp mrt sctp chunk data init init-ack chunktype udplite comp auth esp ah gre vxlan geneve vni
  iif iifname iiftype oif oifname oiftype skgid nftrace rtclassid ibriport obriport ibrname obrname pkttype cpu iifgroup oifgroup cgroup cgroupv2 ipsec
  nfproto l4proto secpath iifkind oifkind ibrpvid ibrvproto time day hour sdif sdifname broute random rtclassid
  classid nexthop mss socket transparent wildcard osf name loose skip unknown fib local check fib_addrtype numgen inc jhash symhash mod seed offset
  state direction status label zone bytes packets avgpkt proto-src proto-dst original reply l3proto protocol event eventmask secmark expiration helper
  invalid established related new untracked expected seen-reply assured confirmed snat dnat dying destroy protoinfo helper seqadj secmark
  fin syn ack psh urg cwr host unicast broadcast multicast other blackhole unreachable prohibit anycast unspec
  ipv4_addr ipv6_addr ether_addr inet_proto inet_service mark ifname iface_index iface_type ifindex ct_state ct_status ct_dir ct_label ct_id icmp_type icmpv6_type icmp_code icmpv6_code
  tcp_flag dccp_pkttype nf_proto ether_type arp_op devgroup classid realm string integer bitmask boolean verdict uid gid pkt_type
  and or xor not in eq ne lt gt le ge == != < > <= >= & | ^ << >> ! = . : * + - -> # over until burst rate used per second minute hour day week
  sec mbytes kbytes vmap binary queue num bypass fanout total to src arp ipv4 ipv6 request nak 8021q 8021ad
  xt match target recent rpfilter statistic multiport addrtype conntrack comment mark tcp nfacct physdev ipvs connmark limit MARK DNAT SNAT MASQUERADE REJECT LOG NFLOG CT
  root loopback ppp ipip sit ipgre wireguard none default Mon Tue Wed Thu Fri Sat Sun Monday Tuesday Wednesday Thursday Friday Saturday Sunday
  nftables metainfo version release_name json_schema_version family table chain handle prio expr left right op key base field value mangle mangle dev hook
  elem verdict stmt target map concat range len sreg_addr xt-match base fields lladdr`,
)

/** ipset save. */
export const IPSET = set(
  PROTOCOLS,
  ICMP,
  `create add hash bitmap list set ip net port iface mac mark netport family inet inet6 hashsize maxelem bucketsize initval timeout counters comment skbinfo
  skbmark skbprio skbqueue forceadd netmask bitmask markmask range nomatch packets bytes size references wildcard before after physdev any default`,
)

/** JSON of ip(8), bridge(8) and bpftool(8). */
export const IP = set(
  PROTOCOLS,
  `inet inet6 link ether loopback none void sit tunnel6 tunnel gre gre6 ip6gre ipip ipip6 mpls vxlan veth bridge bond vlan dummy macvlan ipvlan macvtap tun geneve
  wireguard ip6tnl ip6gretap gretap vti vti6 erspan ip6erspan xfrm nlmon ifb team vrf netkit bareudp
  BROADCAST LOOPBACK LOWER_UP MULTICAST NOARP UP POINTOPOINT SLAVE MASTER PROMISC ALLMULTI DYNAMIC NO-CARRIER DORMANT ECHO RUNNING DEBUG NOTRAILERS
  UNKNOWN DOWN NOTPRESENT LOWERLAYERDOWN TESTING noop noqueue mq fq fq_codel pfifo_fast pfifo bfifo htb codel cake ingress clsact sfq prio tbf multiq hfsc netem
  DEFAULT default eui64 random stable_secret global host site nowhere local main all any unspec
  unicast broadcast multicast anycast blackhole unreachable prohibit throw nat low medium high onlink dead linkdown pervasive offload trap notify unresolved cloned
  rt_offload rt_trap rt_offload_failed kernel boot static redirect ra dhcp zebra bird dnrouted xorp ntk keepalived babel openr bgp isis ospf rip eigrp mrouted gated
  PERMANENT REACHABLE STALE DELAY PROBE FAILED INCOMPLETE self master permanent static extern_learn sticky offloaded router proxy noprefixroute secondary
  deprecated tentative dynamic mngtmpaddr temporary dadfailed optimistic nodad home
  unset set inherit p2p private vepa passthru source l2 l3 l3s balance-rr active-backup balance-xor 802.3ad broadcast balance-tlb balance-alb
  disabled listening learning forwarding blocking nop goto table
  xdp tc flow_dissector netfilter netkit driver generic offload clsact/ingress clsact/egress tcx/ingress tcx/egress multi unspecified xdpgeneric xdpdrv xdpoffload`,
)

/** conntrack -L. */
export const CONNTRACK = set(
  PROTOCOLS,
  `SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSE LISTEN NONE SYN_SENT2 CLOSED COOKIE_WAIT COOKIE_ECHOED SHUTDOWN_SENT SHUTDOWN_RECD
  SHUTDOWN_ACK_SENT HEARTBEAT_SENT HEARTBEAT_ACKED REQUEST RESPOND PARTOPEN OPEN CLOSEREQ CLOSING TIMEWAIT [ASSURED] [UNREPLIED] [OFFLOAD] [HW_OFFLOAD]
  src dst sport dport type code id packets bytes mark use zone zone-orig zone-reply delta-time secctx labels helper timeout start stop srckey dstkey
  ipv4 ipv6 ftp tftp sip irc pptp h323 snmp amanda netbios-ns`,
)

/** ss -lntu. */
export const SOCKETS = set(`tcp udp sctp LISTEN UNCONN ESTAB Netid State Recv-Q Send-Q Local Address:Port Peer Process * [::] *:*`)

/** What ipvsadm prints. */
export const IPVS = set(
  SCHEDULERS,
  `-A -a -t -u -f --sctp-service -s -p -M -r -m -i -g -w -x -y -o -b -6 --pe --tun-type --tun-port --tun-nocsum --tun-csum --tun-remcsum sip ops
  sh-port sh-fallback mh-port mh-fallback flag-1 flag-2 flag-3 persistent mask pe
  IP Virtual Server version Prot LocalAddress:Port Scheduler Flags -> RemoteAddress:Port Forward Weight ActiveConn InActConn PersistConn Uthreshold Lthreshold
  TCP UDP SCTP FWM Masq Route Tunnel Local Bypass IPVS connection entries pro expire state source virtual destination
  NONE ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN SYNACK ASSURED ERR! INIT1 INIT COOKIE_SENT COOKIE_REPLIED
  COOKIE_WAIT COOKIE COOKIE_ECHOED SHUTDOWN_SENT SHUTDOWN_RECEIVED SHUTDOWN_ACK_SENT REJECTED CLOSED IP_VS`,
)

/** wg show. */
export const WIREGUARD = set(
  `interface: peer: public private preshared key: listening port: fwmark: endpoint: allowed ips: latest handshake: transfer: persistent keepalive: every
  (hidden) (none) off day days hour hours minute minutes second seconds ago received sent B KiB MiB GiB TiB Now System clock wound backward`,
)

/** /proc/net/xt_recent/*. */
export const RECENT = set(`==> <== src ttl: last_seen: oldest_pkt: DEFAULT`)

/** birdc show protocols all. */
export const BIRD = set(
  `BIRD ready. name proto table state since info Name Proto Table State Since Info Static Kernel Device Direct BGP Pipe OSPF static1 kernel1 device1 direct1
  up down start stop UP DOWN Preference: Input Output filter: limit: ACCEPT REJECT (unnamed) Routes: imported exported preferred filtered Route change stats:
  received rejected ignored accepted Import Export updates: withdraws: --- Channel ipv4 ipv6 Table: master master4 master6 State:
  state: Established Active Connect OpenSent OpenConfirm Idle Passive Source Neighbor address: ID: AS: AS Local Keepalive Hold timer: timer
  Session: internal external multihop direct caps: refresh enhanced-refresh restart-able llgr-aware AS4 add-path-rx add-path-tx Description: Connection to peer
  capabilities refresh Multiprotocol 4-octet numbers Long-lived graceful Graceful restart Enhanced ADD-PATH TX: RX: Restart time: AF supported: preserved: announced:
  Last error: Socket: Socket: closed Connection refused unreachable No route host timed out Error wait Connect-retry Received: Administrative shutdown Hold
  calico_kernel_programming Restart delay: LLGR stale BGP: Next hop: IGP`,
)

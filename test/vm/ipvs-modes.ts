/** Cases of IPVS beyond kube-proxy's use of it: other ways to the real server, firewall marks, settings, picks by hash. */
import { toPods, vips } from './ipvs.ts'
import type { VmCase } from './lab.ts'

const masquerade = 'nat -A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE'
const both = 'p1 tcp x4 $svc:80 = p2 $p2:80 < $p1 | p4 $p4:80 < $p1'

const three = (vip: string): string => `-a -t ${vip} -r $p2:80 -m -w 1\n-a -t ${vip} -r $p4:81 -m -w 1\n-a -t ${vip} -r $n2:81 -m -w 1`

const blackholed = 'ip rule add from $svc lookup 7 pref 100\nip route add blackhole default table 7'

export const ipvsModeCases: readonly VmCase[] = [
  {
    name: 'IPVS with net.ipv4.vs.conntrack=0: untracked and not masqueraded behind it',
    setup: {
      n1: toPods({
        sysctl: 'net.ipv4.vs.conntrack=0',
        rules: `mangle -A PREROUTING -d $svc -j MARK --set-xmark 0x4000/0x4000
          ${masquerade}
          filter -A INPUT -d $svc -m conntrack ! --ctstate NEW,ESTABLISHED,INVALID -j DROP
          filter -A OUTPUT -d $p2 -p udp -m conntrack --ctstate UNTRACKED -j DROP`,
      }),
    },
    flows: `
      ${both}
      p1 udp $svc:53 = dropped`,
  },
  {
    name: 'IPVS with net.ipv4.vs.conntrack=0: the answer of a real server is nobody’s',
    setup: {
      n1: toPods({
        sysctl: 'net.ipv4.vs.conntrack=0',
        rules: `filter -A FORWARD -p tcp -m conntrack --ctstate INVALID -j DROP
          filter -A FORWARD -p udp -m conntrack --ctstate ESTABLISHED,RELATED -j DROP`,
      }),
    },
    flows: `
      p1 tcp $svc:80 = dropped
      p1 udp $svc:53 = p2 $p2:54 < $p1`,
  },
  {
    name: 'IPVS: answers are routed again, from the service address (snat_reroute)',
    setup: { n1: toPods({ sh: blackholed }) },
    flows: `
      p1 tcp $svc:80 = dropped
      p1 udp $svc:53 = dropped`,
  },
  {
    name: 'IPVS: answers keep their route with snat_reroute=0',
    setup: {
      n1: toPods({
        sh: blackholed,
        sysctl: 'net.ipv4.vs.snat_reroute=0',
      }),
    },
    flows: `
      ${both}
      p1 udp $svc:53 = p2 $p2:54 < $p1`,
  },
  {
    name: 'IPVS: direct routing to another host, which answers the client by itself',
    setup: {
      n1: {
        ip: vips('svc'),
        ipvs: '-A -t $svc:80 -s rr\n-a -t $svc:80 -r $n2:81 -g -w 1\n-A -u $svc:53 -s rr\n-a -u $svc:53 -r $n2:53 -g -w 1',
      },
      n2: { ip: 'addr add $svc/{32|128} dev lo' },
    },
    flows: `
      ext tcp $svc:80 = n2 $svc:80 < $ext
      ext udp $svc:53 = n2 $svc:53 < $ext
      p1 udp $svc:53 = {dropped|n2 $svc:53 < $p1}`,
  },
  {
    name: 'IPVS: direct routing to this host changes nothing',
    setup: { n1: { ip: vips('svc'), ipvs: '-A -t $svc:80 -s rr\n-a -t $svc:80 -r $n1:81 -g -w 1' } },
    flows: `
      p1 tcp $svc:80 = n1 $svc:80 < $p1
      n1 tcp $svc:80 = n1 $svc:80 < $svc`,
  },
  {
    name: 'IPVS: direct routing to a host without the address',
    setup: { n1: { ip: vips('svc'), ipvs: '-A -t $svc:80 -s rr\n-a -t $svc:80 -r $p2:80 -g -w 1' } },
    flows: 'p1 tcp $svc:80 = dropped',
  },
  {
    name: 'IPVS: tunnelling',
    families: [4],
    setup: {
      n1: {
        ip: vips('svc'),
        ipvs: '-A -t $svc:80 -s rr\n-a -t $svc:80 -r $n2:80 -i -w 1\n-A -u $svc:53 -s rr\n-a -u $svc:53 -r $n2:53 -i -w 1\n-A -t $svc:81 -s rr\n-a -t $svc:81 -r $n1:81 -i -w 1',
        rules: `mangle -A PREROUTING -p udp -j MARK --set-xmark 0x8/0x8
          filter -A OUTPUT -p ipencap -m mark --mark 0x8/0x8 -j DROP
          filter -A OUTPUT -d $svc -j DROP`,
      },
      n2: { ip: 'link set tunl0 up\naddr add $svc/32 dev lo' },
    },
    flows: `
      ext tcp $svc:80 = n2 $svc:80 < $ext
      ext udp $svc:53 = dropped
      ext tcp $svc:81 = n1 $svc:81 < $ext`,
  },
  {
    name: 'IPVS by firewall mark',
    setup: {
      n1: {
        ip: vips('svc'),
        ipvs: '-A -f 7{| -6} -s rr\n-a -f 7{| -6} -r $p2:0 -m -w 1\n-A -t $svc:81 -s rr\n-a -t $svc:81 -r $p4:80 -m -w 1\n-A -f 8{| -6} -s rr',
        rules: `mangle -A PREROUTING -d $svc -p tcp -m tcp --dport 7000:7001 -j MARK --set-xmark 0x7/0xffffffff
          mangle -A PREROUTING -d $svc -p tcp -m tcp --dport 7003 -j MARK --set-xmark 0x8/0xffffffff
          mangle -A PREROUTING -d $p4 -p tcp -j MARK --set-xmark 0x7/0xffffffff
          mangle -A PREROUTING -d $svc -p udp -m udp --dport 7001 -j MARK --set-xmark 0x7/0xffffffff`,
      },
    },
    flows: `
      p1 tcp $svc:7000 = p2 $p2:7000 < $p1
      p1 udp $svc:7001 = p2 $p2:7001 < $p1
      p1 tcp $svc:7002 = n1 $svc:7002 < $p1
      p1 tcp $svc:7003 = icmp 3/3 $svc
      p1 tcp $svc:81 = p4 $p4:80 < $p1
      p1 tcp $p4:7000 = p4 $p4:7000 < $p1`,
  },
  {
    name: 'IPVS: a virtual server of all ports',
    setup: {
      n1: {
        ip: vips('svc'),
        ipvs: '-A -t $svc:0 -s rr -p 60\n-a -t $svc:0 -r $p2:0 -m -w 1\n-A -t $svc:80 -s rr\n-a -t $svc:80 -r $p4:81 -m -w 1',
      },
    },
    flows: `
      p1 tcp $svc:7000 = p2 $p2:7000 < $p1
      p1 tcp $svc:80 = p4 $p4:81 < $p1
      p1 udp $svc:7000 = n1 $svc:7000 < $p1`,
  },
  {
    name: 'IPVS: real servers that send without a connection (nat_icmp_send)',
    setup: { n1: toPods({ sysctl: 'net.ipv4.vs.nat_icmp_send=1' }) },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 udp $p2:54 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1
      p1 udp $svc:53 = p2 $p2:54 < $p1`,
  },
  {
    name: 'IPVS: one packet each (--ops): nobody knows the answer',
    setup: { n1: toPods({ ipvs: '-A -u $svc:53 -s rr -o\n-a -u $svc:53 -r $p2:54 -m -w 1' }) },
    flows: 'p1 udp $svc:53 = dropped',
  },
  {
    name: 'IPVS under attack drops new connections (drop_packet=3)',
    setup: { n1: toPods({ sysctl: 'net.ipv4.vs.am_droprate=1\nnet.ipv4.vs.drop_packet=3' }) },
    flows: `
      p1 udp $svc:53 = dropped
      p1 udp $svc:54 = n1 $svc:54 < $p1`,
  },
  // ipvsadm -R adds server by server, each before the others: n2, p4, p2. Buckets: address × 0x61c88647, top byte, modulo 3
  {
    name: 'IPVS: sh by source address',
    setup: { n1: toPods({ ipvs: `-A -t $svc:80 -s sh\n${three('$svc:80')}` }) },
    flows: `
      p1 tcp x3 $svc:80 = p2 $p2:80 < $p1
      p3 tcp x3 $svc:80 = {p4 $p4:81 < $p3|n2 $n2:81 < $p3}`,
  },
  {
    name: 'IPVS: dh by destination address',
    setup: {
      n1: toPods({
        ip: 'addr add $svc2/{32|128} dev kube-ipvs0',
        ipvs: `-A -t $svc:80 -s dh\n${three('$svc:80')}\n-A -t $svc2:80 -s dh\n${three('$svc2:80')}`,
      }),
    },
    flows: `
      p1 tcp x2 $svc:80 = p4 $p4:81 < $p1
      p3 tcp x2 $svc2:80 = n2 $n2:81 < $p3`,
  },
  {
    name: 'IPVS: a drained server of sh refuses, unless there is a fallback',
    setup: {
      n1: toPods({
        ipvs: `-A -t $svc:80 -s sh\n-a -t $svc:80 -r $p2:80 -m -w 0
          -A -t $svc:81 -s sh -b sh-fallback\n-a -t $svc:81 -r $p2:80 -m -w 0\n-a -t $svc:81 -r $p4:80 -m -w 1
          -A -t $svc:7000 -s fo\n-a -t $svc:7000 -r $p2:80 -m -w 1\n-a -t $svc:7000 -r $p4:80 -m -w 3
          -A -t $svc:7001 -s ovf\n-a -t $svc:7001 -r $p2:80 -m -w 5\n-a -t $svc:7001 -r $p4:80 -m -w 3`,
      }),
    },
    flows: `
      p1 tcp $svc:80 = icmp 3/3 $svc
      p1 tcp x3 $svc:81 = p4 $p4:80 < $p1
      p1 tcp x3 $svc:7000 = p4 $p4:80 < $p1
      p1 tcp x3 $svc:7001 = p2 $p2:80 < $p1`,
  },
  {
    name: 'IPVS counts as a hop, for the node’s own packets as well',
    setup: {
      n1: toPods({
        rules: `nat -A OUTPUT -d $svc -j MARK --set-xmark 0x4000/0x4000
          ${masquerade}
          filter -A OUTPUT -d $p2 -p udp -m {ttl --ttl-eq|hl --hl-eq} 63 -j DROP`,
      }),
    },
    flows: `
      p1 udp $svc:53 = dropped
      n1 udp $svc:53 = dropped
      ${both}`,
  },
  {
    name: 'IPVS: an error about the packet to the real server comes from the service address',
    setup: {
      n1: toPods({ rules: `mangle -A PREROUTING -s $p3 -j MARK --set-xmark 0x4000/0x4000\n${masquerade}` }),
      n2: { rules: 'filter -A FORWARD -d $p2 -p udp -j REJECT --reject-with icmp-admin-prohibited' },
    },
    flows: `
      p1 udp $svc:53 = icmp 3/13 $svc
      p3 udp $svc:53 = icmp 3/13 $svc`,
  },
  {
    name: 'IPVS: -m ipvs by method and direction, and of answers',
    setup: {
      n1: toPods({
        ip: 'addr add $svc2/{32|128} dev kube-ipvs0',
        ipvs: `-A -t $svc:80 -s rr\n-a -t $svc:80 -r $p2:80 -m -w 1
          -A -t $svc:81 -s rr\n-a -t $svc:81 -r $p2:81 -m -w 1
          -A -t $svc2:80 -s rr\n-a -t $svc2:80 -r $p2:80 -m -w 1
          -A -t $svc2:81 -s rr\n-a -t $svc2:81 -r $p2:81 -m -w 1`,
        // --vdir needs conntrack to be at work, which xt_ipvs does not see to: the nat rule does
        rules: `${masquerade}
          filter -A OUTPUT -m ipvs --vdir ORIGINAL --vmethod MASQ --vaddr $svc --vport 80 -j DROP
          mangle -A POSTROUTING -s $svc -p tcp -m tcp --sport 81 -m ipvs --ipvs -j DROP
          mangle -A POSTROUTING -s $svc2 -m ipvs --ipvs --vaddr $svc2 -j DROP
          filter -A OUTPUT -m ipvs --vdir REPLY -j DROP
          filter -A OUTPUT -p tcp -m tcp --dport 81 -m ipvs ! --vaddr $svc -j DROP`,
      }),
    },
    flows: `
      p1 tcp $svc:80 = dropped
      p1 tcp $svc:81 = dropped
      p1 tcp $svc2:80 = p2 $p2:80 < $p1
      p1 tcp $svc2:81 = dropped`,
  },
  {
    name: 'IPVS: the node itself to a server of its own, over loopback',
    setup: {
      n1: toPods({
        ipvs: '-A -u $svc:53 -s rr\n-a -u $svc:53 -r $n1:54 -m -w 1\n-A -u $svc:54 -s rr\n-a -u $svc:54 -r $n1:53 -m -w 1',
        rules: `nat -A OUTPUT -d $svc -p udp -m udp --dport 54 -j MARK --set-xmark 0x4000/0x4000\n${masquerade}`,
      }),
    },
    flows: `
      n1 udp $svc:53 = n1 $n1:54 < $svc
      n1 udp $svc:54 = n1 $n1:53 < $n1`,
  },
  {
    name: 'IPVS: nothing leaves from a loopback address',
    setup: { n1: toPods() },
    flows: 'n1@{127.0.0.1|::1} udp $svc:53 = dropped',
  },
  {
    name: 'IPVS behind DNAT of iptables',
    setup: { n1: toPods({ rules: 'nat -A PREROUTING -d $svc2 -j DNAT --to-destination $svc' }) },
    flows: `
      p1 tcp x4 $svc2:80 = p2 $p2:80 < $p1 | p4 $p4:80 < $p1
      p1 udp $svc2:53 = p2 $p2:54 < $p1`,
  },
]

import { walkSuite } from '../support/netns-suite.ts'

walkSuite('the walk and the kernel: matches', [
  {
    name: 'rpfilter: strict, loose, inverted',
    sh: {
      p1: 'ip {|-6} addr add {10.9.9.9/32|fd99::9/128} dev eth0 {|preferred_lft 0}; ip {|-6} addr add $p2/{32|128} dev eth0 {|preferred_lft 0}',
      n2: '',
    },
    rules: {
      n1: `raw -A PREROUTING -p tcp -m tcp --dport 80 -m rpfilter --invert -j DROP
      raw -A PREROUTING -p tcp -m tcp --dport 81 -m rpfilter --loose --invert -j DROP
      raw -A PREROUTING -p udp -m udp --dport 53 -m rpfilter -j ACCEPT
      raw -A PREROUTING -p udp -m udp --dport 53 -j DROP
      raw -A PREROUTING -p udp -m udp --dport 7000 -m rpfilter --validmark --invert -j DROP`,
    },
    flows: `
      p1 tcp $n1:80 = n1 $n1:80 < $p1
      p1@$p2 tcp $n1:80 = dropped
      p1@{10.9.9.9|fd99::9} tcp $ext:81 = dropped
      p1 udp $ext:53 = ext $ext:53 < $p1
      p1@$p2 udp $ext:53 = dropped
      ext tcp $n1:80 = n1 $n1:80 < $ext
      ext@$extb tcp $n1:80 = dropped
      ext udp $p3:7000 = p3 $p3:7000 < $ext
      n1 tcp $n1:80 = n1 $n1:80 < $n1`,
  },
  {
    // without a default route nobody answers ARP for 169.254.1.1: proxy ARP is for addresses that have a route
    name: 'rpfilter without a route back at all, and --validmark',
    sh: {
      n1: `ip route del default
      ip rule add fwmark 0x10 lookup 100
      ip route add $ext dev eth1 table 100
      ip route add $far via $ext dev eth0`,
      p1: 'ip {|-6} addr add {10.9.9.9/32|fd99::9/128} dev eth0 {|preferred_lft 0}',
    },
    rules: {
      n1: `raw -A PREROUTING -p tcp -m tcp --dport 80 -m rpfilter --loose --invert -j DROP
      raw -A PREROUTING -i eth0 -p tcp -m tcp --dport 81:7000 -j MARK --set-xmark 0x10/0xffffffff
      raw -A PREROUTING -i eth0 -p tcp -m tcp --dport 81 -m rpfilter --validmark --invert -j DROP
      raw -A PREROUTING -i eth0 -p tcp -m tcp --dport 7000 -m rpfilter --invert -j DROP
      mangle -A PREROUTING -j MARK --set-xmark 0x0/0xffffffff`,
    },
    flows: `
      p1@{10.9.9.9|fd99::9} tcp $n1:80 = {icmp 3/1 10.9.9.9|dropped}
      ext@$far tcp $p1:80 = {dropped|p1 $p1:80 < $far}
      ext@$far tcp $n1:80 = n1 $n1:80 < $far
      ext tcp $n1:81 = dropped
      ext tcp $n1:7000 = n1 $n1:7000 < $ext`,
  },
  {
    name: 'addrtype: types of source and destination, limited to a device',
    rules: {
      n1: `filter -A INPUT -p tcp -m tcp --dport 80 -m addrtype --src-type LOCAL -j DROP
      filter -A INPUT -p tcp -m tcp --dport 81 -m addrtype ! --dst-type LOCAL -j DROP
      filter -A INPUT -p tcp -m tcp --dport 7000 -m addrtype --dst-type LOCAL --limit-iface-in -j DROP
      mangle -A POSTROUTING -p tcp -m tcp --dport 7001 -m addrtype ! --src-type LOCAL --limit-iface-out -j DROP
      mangle -A POSTROUTING -p tcp -m tcp --dport 7002 -m addrtype --src-type LOCAL -j DROP
      nat -A PREROUTING -p udp -m addrtype --dst-type LOCAL -j DNAT --to-destination $p3
      nat -A OUTPUT -p udp -m addrtype --dst-type LOCAL -j DNAT --to-destination $p3
      filter -A FORWARD -p tcp -m tcp --dport 7003 -m addrtype --dst-type UNICAST --src-type UNICAST -j DROP`,
    },
    flows: `
      n1 tcp $n1:80 = dropped
      ext tcp $n1:80 = n1 $n1:80 < $ext
      ext tcp $n1:81 = n1 $n1:81 < $ext
      ext tcp $n1:7000 = dropped
      ext@$ext tcp $n1b:7000 = dropped
      n1 tcp $p2:7001 = p2 $p2:7001 < $n1
      n1@$n1b tcp $p2:7001 = dropped
      p1 tcp $p2:7001 = dropped
      n1 tcp $p2:7002 = dropped
      p1 tcp $p2:7002 = p2 $p2:7002 < $p1
      ext udp $n1b:53 = p3 $p3:53 < $extb
      p1 udp $p2:53 = p2 $p2:53 < $p1
      n1 udp $n1:53 = p3 $p3:53 < $n1
      p1 tcp $p2:7003 = dropped`,
  },
  {
    name: 'multiport, iprange, port ranges',
    rules: {
      n1: `filter -A FORWARD -p tcp -m multiport --dports 80,7000:7001 -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 7002:7002 -m tcp --sport 1: -j DROP
      filter -A FORWARD -p tcp -m multiport ! --ports 81,7003 -m tcp --dport 81:7003 -j DROP
      filter -A FORWARD -p udp -m iprange --src-range {10.244.1.3-10.244.1.9|fd44:1::3-fd44:1::9} -j DROP
      filter -A FORWARD -p udp -m iprange ! --dst-range {10.244.2.0-10.244.2.9|fd44:2::-fd44:2::9} -i cali1 -j DROP
      filter -A FORWARD -p udp -m multiport --sports 53,54 -m udp --sport 54 -j DROP`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1
      p1 tcp $p2:7000 = dropped
      p1 tcp $p2:7002 = dropped
      p3 udp $p2:53 = dropped
      p1 udp $p2:53 = p2 $p2:53 < $p1
      p1 udp $ext:53 = dropped
      p1 udp $p2:54 = dropped`,
  },
  {
    name: 'TCP flags and ICMP types',
    rules: {
      n1: `filter -A FORWARD -p tcp -m tcp --dport 80 --tcp-flags FIN,SYN,RST,ACK SYN -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 81 ! --tcp-flags FIN,SYN,RST,ACK SYN -j DROP
      filter -A FORWARD -p tcp -m tcp --sport 7000 --tcp-flags SYN,ACK SYN,ACK -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 7001 --tcp-flags SYN,ACK ACK -j DROP
      filter -A FORWARD -p tcp -m tcp --sport 7002 --tcp-flags FIN,SYN,RST,ACK SYN -j DROP
      filter -A FORWARD -s $p1 -p icmp -m icmp --icmp-type {8|128} -j DROP
      filter -A FORWARD -d $p3 -p icmp -m icmp --icmp-type {3/3|1/4} -j DROP`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = dropped
      p1 tcp $p2:7000 = dropped
      p1 tcp $p2:7001 = dropped
      p1 tcp $p2:7002 = p2 $p2:7002 < $p1
      p1 icmp $p2 = dropped
      p3 icmp $p2 = ok
      p3 udp $p2:99 = dropped
      p1 udp $p2:99 = icmp 3/3 $p2`,
  },
  {
    name: 'statistic: random and nth',
    rules: {
      n1: `nat -A PREROUTING -d $svc/{32|128} -p udp -m udp --dport 53 -m statistic --mode random --probability 0.20000000019 -j DNAT --to-destination $p2:53
      nat -A PREROUTING -d $svc/{32|128} -p udp -m udp --dport 53 -m statistic --mode random --probability 0.50000000000 -j DNAT --to-destination $p3:53
      nat -A PREROUTING -d $svc/{32|128} -p udp -m udp --dport 53 -j DNAT --to-destination $ext:54
      filter -A FORWARD -p udp -m udp --dport 7000 -m statistic --mode nth --every 4 --packet 1 -j REJECT
      filter -A FORWARD -p udp -m udp --dport 7001 -m statistic --mode random ! --probability 0.25 -j REJECT`,
    },
    flows: `
      p1 udp x400 $svc:53 = p2 $p2:53 < $p1 | p3 $p3:53 < $p1 | ext $ext:54 < $p1
      p1 udp x400 $p2:7000 = p2 $p2:7000 < $p1 | icmp 3/3 $n1
      p1 udp x400 $p2:7001 = p2 $p2:7001 < $p1 | icmp 3/3 $n1`,
  },
  {
    name: 'recent and limit on a first packet',
    rules: {
      n1: `nat -N SVC
      nat -N SEP
      nat -A PREROUTING -d $svc/{32|128} -p tcp -j SVC
      nat -A SVC -m recent --name SEP --rcheck --seconds 10800 --reap --rsource -j DNAT --to-destination $p3
      nat -A SVC -j SEP
      nat -A SEP -m recent --name SEP --set --rsource -j DNAT --to-destination $p2
      filter -A FORWARD -p udp -m limit --limit 10/sec --limit-burst 50 -j ACCEPT
      filter -A FORWARD -p udp -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 81 -m recent ! --rcheck --name NOBODY --rsource -j DROP`,
    },
    flows: `
      p1 tcp $svc:80 = p2 $p2:80 < $p1
      p1 udp $p2:53 = p2 $p2:53 < $p1
      p1 tcp $p2:81 = dropped`,
  },
  {
    name: 'recent: what a packet leaves in a list is seen by the rules behind, whether or not the rest of the rule matches',
    rules: {
      n1: `filter -A FORWARD -p tcp -m tcp --dport 80 -m recent --set --name A --rsource
      filter -A FORWARD -p tcp -m tcp --dport 80 -m recent --rcheck --seconds 60 --name A --rsource -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 81 -m recent --set --name B --rsource
      filter -A FORWARD -p tcp -m tcp --dport 81 -m recent --update --name B --rsource -j DROP
      filter -A FORWARD -p udp -m recent --update --name C --rsource -j DROP
      filter -A FORWARD -p udp -m recent --set --name C --rsource -m udp --dport 7000
      filter -A FORWARD -p udp -m recent --rcheck --name C --rsource -m udp --dport 53 -j DROP
      filter -A FORWARD -p tcp -m recent --set --name D --rsource
      filter -A FORWARD -p tcp -m recent --remove --name D --rsource
      filter -A FORWARD -p tcp -m tcp --dport 7000 -m recent --rcheck --name D --rsource -j DROP
      filter -A FORWARD -p tcp -m recent --set --name E --rsource
      filter -A FORWARD -p tcp -m tcp --dport 7001 -m recent --update --hitcount 1 --name E --rsource
      filter -A FORWARD -p tcp -m tcp --dport 7001 -m recent --rcheck --hitcount 2 --name E --rsource -j DROP`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = dropped
      p1 udp $p2:53 = dropped
      p1 tcp $p2:7000 = p2 $p2:7000 < $p1
      p1 tcp $p2:7001 = dropped`,
  },
  {
    name: 'length, ttl, dscp, mac, pkttype',
    rules: {
      n1: `filter -A FORWARD -p udp -m udp --dport 53 -m length --length 1000:1500 -j DROP
      filter -A FORWARD -p tcp -m length --length 0:39 -j DROP
      filter -A FORWARD -p tcp --syn -m length --length 101: -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 80 -m {ttl --ttl-eq 63|hl --hl-eq 63} -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 81 -m {ttl --ttl-lt 63|hl --hl-lt 63} -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 7000 -m dscp --dscp 0x2e -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 7001 -m dscp ! --dscp 0x2e -j DROP
      filter -A INPUT -p tcp -m tcp --dport 7002 -m pkttype --pkt-type unicast -j DROP
      mangle -A PREROUTING -p tcp -m tcp --dport 7003 -j {TTL --ttl-set 1|HL --hl-set 1}`,
    },
    flows: `
      p1 udp $p2:53 = undecided
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1
      p1 tcp $p2:7000 = p2 $p2:7000 < $p1
      p1 tcp $p2:7001 = dropped
      ext tcp $n1:7002 = dropped
      p1 tcp $p2:7003 = icmp 11/0 $n1
      p1 tcp $n1:7003 = n1 $n1:7003 < $p1`,
  },
  {
    name: 'a MAC address, which the walk does not follow',
    rules: {
      n1: `filter -A FORWARD -p tcp -m tcp --dport 80 -m mac --mac-source 02:00:00:00:04:10 -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 81 -m mac --mac-source 02:00:00:00:04:10 -j ACCEPT`,
    },
    flows: `
      p1 tcp $p2:80 = undecided
      p1 tcp $p2:81 = p2 $p2:81 < $p1`,
  },
  {
    name: 'string, u32 and bpf are undecided only where they matter',
    rules: {
      n1: `filter -A FORWARD -p tcp -m tcp --dport 80 -m string --string x --algo bm -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 81 -m string --string x --algo bm -j ACCEPT
      filter -A FORWARD -s $p3 -p udp -m u32 --u32 "0x0=0x1" -j DROP
      filter -A FORWARD -p udp -m bpf --bytecode "1,6 0 0 0" -j ACCEPT`,
    },
    flows: `
      p1 tcp $p2:80 = undecided
      p1 tcp $p2:81 = p2 $p2:81 < $p1
      p3 udp $p2:53 = undecided
      p1 udp $p2:53 = p2 $p2:53 < $p1`,
  },
  {
    name: 'owner: known only for packets that have no socket',
    rules: { n1: 'filter -A OUTPUT -m owner --uid-owner 0 -j DROP' },
    flows: `
      n1 tcp $p2:80 = undecided
      p1 tcp $p2:80 = p2 $p2:80 < $p1`,
  },
  {
    name: 'port rules in FORWARD are judged on the translated port',
    rules: {
      n1: `nat -A PREROUTING -d $svc/{32|128} -p tcp -m tcp --dport 80 -j DNAT --to-destination $p2:7000
      nat -A PREROUTING -d $svc2/{32|128} -p tcp -m tcp --dport 7001 -j DNAT --to-destination $p2:81
      filter -A FORWARD -p tcp -m tcp --dport 7000 -j REJECT --reject-with tcp-reset
      filter -A FORWARD -p tcp -m tcp --dport 7001 -j DROP`,
    },
    flows: `
      p1 tcp $svc:80 = rst
      p1 tcp $svc2:7001 = p2 $p2:81 < $p1`,
  },
])

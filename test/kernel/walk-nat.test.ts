import { walkSuite } from '../support/netns-suite.ts'

const svc = 'nat -A PREROUTING -d $svc/{32|128} -p tcp -m tcp --dport 80 -j DNAT --to-destination'

walkSuite('the walk and the kernel: NAT', [
  {
    // the uplinks of the lab have high numbers, as those of a node that is a container; the bridge gets a low one
    name: 'MASQUERADE by a device without addresses: of the oldest device, whatever its number',
    sh: { n1: 'ip link add d0 type bridge\nip addr add {10.9.9.1/32|fd09::1/128 nodad} dev d0' },
    rules: { n1: 'nat -A POSTROUTING -o cali1 -j MASQUERADE' },
    flows: 'p3 tcp $p1:80 = p1 $p1:80 < $n1',
  },
  {
    name: 'DNAT for forwarded packets and for local senders',
    rules: {
      n1: `${svc} $p2:7000
      nat -A OUTPUT -d $svc/{32|128} -p tcp -m tcp --dport 80 -j DNAT --to-destination $p2:7000
      nat -A PREROUTING -d $svc/{32|128} -p udp -m udp --dport 53 -j DNAT --to-destination $p3`,
    },
    flows: `
      p1 tcp $svc:80 = p2 $p2:7000 < $p1
      p1 udp $svc:53 = p3 $p3:53 < $p1
      n1 tcp $svc:80 = p2 $p2:7000 < $n1`,
  },
  {
    name: 'DNAT to ports: one that is in the range stays, others go to its first; a shifted range moves',
    rules: {
      n1: `${svc} $p2:7001-7003
      nat -A PREROUTING -d $svc/{32|128} -p tcp -m tcp --dport 7002 -j DNAT --to-destination $p2:7001-7003
      nat -A PREROUTING -d $svc2/{32|128} -p tcp -m tcp --dport 8000:8003 -j DNAT --to-destination $p2:7000-7003/8000
      nat -A PREROUTING -d $svc2/{32|128} -p udp -m udp --dport 53 -j DNAT --to-destination :54`,
    },
    flows: `
      p1 tcp $svc:80 = p2 $p2:7001 < $p1
      p1 tcp $svc:7002 = p2 $p2:7002 < $p1
      p1 tcp $svc2:8002 = p2 $p2:7002 < $p1`,
  },
  {
    name: 'DNAT and SNAT to ranges of addresses: a hash of both ends without a secret',
    sh: {
      n1: 'for i in 0 1 2 3 4 5 6; do ip {|-6} addr add {172.18.0.20$i/32|fd18::20$i/128} dev eth0; done',
      n2: 'ip route add $svcs via $n1',
    },
    rules: {
      n1: `${svc} {10.244.1.2-10.244.1.3|[fd44:1::2-fd44:1::3]}:80
      nat -A PREROUTING -d $svc2/{32|128} -p tcp -m tcp --dport 80 -j DNAT --to-destination {10.244.1.2-10.244.1.3|[fd44:1::2-fd44:1::3]}:81 --persistent
      nat -A POSTROUTING -d $far -j SNAT --to-source {172.18.0.200-172.18.0.206|fd18::200-fd18::206}
      nat -A POSTROUTING -d $ext -j SNAT --to-source {172.18.0.200-172.18.0.206|fd18::200-fd18::206} --persistent`,
    },
    flows: `
      p1 tcp $far:80 = ok
      p3 tcp $far:80 = ok
      n1 tcp $far:80 = ok
      p1 tcp $ext:80 = ok
      p3 tcp $ext:80 = ok
      n1 tcp $ext:80 = ok
      n1@$n1b tcp $ext:80 = ok
      n2 tcp $svc:80 = ok
      ext tcp $svc:80 = ok
      ext@$extb tcp $svc:80 = ok
      ext@$far tcp $svc:80 = ok
      n2 tcp $svc2:80 = ok
      ext tcp $svc2:80 = ok
      ext@$extb tcp $svc2:80 = ok
      ext@$far tcp $svc2:80 = ok`,
  },
  {
    name: 'SNAT and MASQUERADE with ports',
    rules: {
      n1: `nat -A POSTROUTING -d $ext -p tcp -m tcp --dport 80 -j MASQUERADE --to-ports 40000-40100
      nat -A POSTROUTING -d $ext -p tcp -m tcp --dport 81 -j MASQUERADE --random-fully
      nat -A POSTROUTING -d $extb -j MASQUERADE
      nat -A POSTROUTING -d $far -p tcp -j SNAT --to-source $n1:5000-5010
      nat -A POSTROUTING -d $far -p udp -j SNAT --to-source $n1b --random
      nat -A POSTROUTING -o cali3 -j MASQUERADE`,
    },
    flows: `
      p1 tcp $ext:80 = ext $ext:80 < $n1
      p1 tcp $ext:81 = ext $ext:81 < $n1
      p1 tcp $extb:80 = ext $extb:80 < $n1b
      p1 udp $extb:53 = ext $extb:53 < $n1b
      p1 icmp $extb = ok
      p1 tcp $far:80 = ext $far:80 < $n1
      p1 udp $far:53 = ext $far:53 < $n1b`,
  },
  {
    name: 'MASQUERADE on a device without an address',
    rules: { n1: 'nat -A POSTROUTING -o cali3 -j MASQUERADE' },
    // IPv4: the first global address of the host; IPv6: by RFC 6724 the longest common prefix with the destination
    flows: `
      p1 tcp $p3:80 = ok
      ext udp $p3:53 = ok`,
  },
  {
    name: 'REDIRECT before routing and of local senders',
    rules: {
      n1: `nat -A PREROUTING -d $svc/{32|128} -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 7000
      nat -A PREROUTING -d $svc2/{32|128} -p tcp -j REDIRECT
      nat -A OUTPUT -d $svc/{32|128} -p tcp -j REDIRECT --to-ports 7001
      nat -A OUTPUT -d $svc2/{32|128} -p udp -j REDIRECT`,
    },
    sh: { n1: 'ip route add $svc via $extb dev eth1' },
    flows: `
      ext tcp $svc:80 = n1 $n1:7000 < $ext
      ext tcp $svc2:81 = n1 $n1:81 < $ext
      n1 tcp $svc:80 = n1 {127.0.0.1|[::1]}:7001 < $n1b
      n1 udp $svc2:53 = n1 {127.0.0.1|[::1]}:53 < $n1`,
  },
  {
    name: 'REDIRECT of what a device without a global address brings',
    rules: { n1: 'nat -A PREROUTING -d $svc/{32|128} -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 7000' },
    families: [4],
    flows: 'p1 tcp $svc:80 = dropped',
  },
  {
    name: 'SNAT leaves an address that is in the range already; DNAT --random takes any port',
    sh: {
      n1: 'for i in 0 1 2; do ip {|-6} addr add {172.18.0.20$i/32|fd18::20$i/128} dev eth0 {|preferred_lft 0}; ip {|-6} addr add {172.18.0.21$i/32|fd18::21$i/128} dev lo; done',
    },
    rules: {
      n1: `nat -A POSTROUTING -d $far -j SNAT --to-source {172.18.0.200-172.18.0.202|fd18::200-fd18::202}
      nat -A PREROUTING -d $svc/{32|128} -p udp -m udp --dport 53 -j DNAT --to-destination $p2:7000-7001 --random`,
    },
    flows: `
      n1@{172.18.0.201|fd18::201} tcp $far:80 = ext $far:80 < {172.18.0.201|fd18::201}
      n1@{172.18.0.202|fd18::202} udp $far:53 = ext $far:53 < {172.18.0.202|fd18::202}
      p1 udp x200 $svc:53 = p2 $p2:7000 < $p1 | p2 $p2:7001 < $p1`,
  },
  {
    name: 'NETMAP of the source, where source and destination are one address',
    rules: { n1: 'nat -A POSTROUTING -p udp -j NETMAP --to $n1/{32|128}' },
    flows: 'n1 udp {127.0.0.1|[::1]}:53 = n1 {127.0.0.1|[::1]}:53 < $n1',
  },
  {
    name: 'NETMAP both ways',
    rules: {
      n1: `nat -A PREROUTING -d {10.99.0.0/24|fd99::/64} -j NETMAP --to {10.244.2.0/24|fd44:2::/64}
      nat -A POSTROUTING -s $p3 -o eth1 -j NETMAP --to {172.19.0.0/24|fd19::/64}`,
    },
    sh: { n1: 'ip {|-6} addr add {172.19.0.3/32|fd19::3/128} dev eth1', n2: '', ext: 'ip route add {10.99.0.0/24|fd99::/64} via $n1' },
    flows: `
      p1 tcp {10.99.0.2|[fd99::2]}:80 = p2 $p2:80 < $p1
      ext udp {10.99.0.2|[fd99::2]}:53 = dropped
      p3 tcp $extb:80 = ext $extb:80 < {172.19.0.3|fd19::3}
      p3 udp $extb:53 = ext $extb:53 < {172.19.0.3|fd19::3}`,
  },
  {
    name: 'hairpin without masquerading: the pod hears itself',
    rules: { n1: `${svc} $p1:7000` },
    flows: `
      p1 tcp $svc:80 = dropped
      p3 tcp $svc:80 = p1 $p1:7000 < $p3`,
  },
  {
    name: 'hairpin with masquerading, as kube-proxy marks it',
    rules: {
      n1: `nat -N SEP
      nat -A PREROUTING -d $svc/{32|128} -p tcp -m tcp --dport 80 -j SEP
      nat -A SEP -s $p1 -j MARK --or-mark 0x4000
      nat -A SEP -p tcp -j DNAT --to-destination $p1:7000
      nat -A POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
      nat -A POSTROUTING -j MARK --xor-mark 0x4000
      nat -A POSTROUTING -j MASQUERADE --random-fully`,
    },
    flows: `
      p1 tcp $svc:80 = ok
      p3 tcp $svc:80 = p1 $p1:7000 < $p3`,
  },
  {
    name: 'nat INPUT changes the source that the socket sees',
    rules: { n1: 'nat -A INPUT -p tcp -m tcp --dport 80 -s $p1 -j SNAT --to-source {192.0.2.1|2001:db8:1::1}' },
    flows: `
      p1 tcp $n1:80 = n1 $n1:80 < {192.0.2.1|2001:db8:1::1}
      p3 tcp $n1:80 = n1 $n1:80 < $p3`,
  },
  {
    name: 'the chains of both backends are asked, and the first mapping stays',
    rules: { n1: `${svc} $p2:7000` },
    otherBackend: { n1: 'nat -A PREROUTING -d $svc/{32|128} -p tcp -m tcp --dport 81 -j DNAT --to-destination $p3:7001' },
    flows: `
      p1 tcp $svc:80 = p2 $p2:7000 < $p1
      p1 tcp $svc:81 = p3 $p3:7001 < $p1`,
  },
  {
    name: 'an error from behind a DNAT comes in the name of the service',
    rules: { n1: 'nat -A PREROUTING -d $svc/{32|128} -p udp -j DNAT --to-destination $p2:99', n2: 'filter -A FORWARD -p tcp -j REJECT' },
    flows: `
      p1 udp $svc:53 = icmp 3/3 $svc
      p1 tcp $p2:80 = icmp 3/3 $n2`,
  },
])

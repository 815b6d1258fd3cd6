import { walkSuite } from '../support/netns-suite.ts'

walkSuite('the walk and the kernel: ipsets', [
  {
    name: 'hash:ip, hash:net with nomatch, timeouts',
    sh: {
      n1: `ipset create ips hash:ip family inet
      ipset add ips $p1
      ipset create nets hash:net family inet timeout 0
      ipset add nets $pods
      ipset add nets $pods2 nomatch
      ipset add nets $n2 timeout 600
      ipset create gone hash:ip family inet timeout 600
      ipset add gone $p2 timeout 300`,
    },
    rules: {
      n1: `filter -A FORWARD -p tcp -m tcp --dport 80 -m set --match-set ips src -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 81 -m set --match-set nets dst -j DROP
      filter -A FORWARD -p udp -m set ! --match-set nets dst -m udp --dport 53 -j DROP
      filter -A FORWARD -p udp -m udp --dport 54 -m set --match-set gone dst -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 7000 -m set --match-set nets src -m set ! --match-set ips dst -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 7001 -m set --match-set nets dst --return-nomatch -j DROP`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p3 tcp $p2:80 = p2 $p2:80 < $p3
      p1 tcp $p3:81 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1
      p1 udp $p2:53 = dropped
      p1 udp $p3:53 = p3 $p3:53 < $p1
      p1 udp $p2:54 = dropped
      p1 tcp $n2:81 = dropped
      p1 tcp $p2:7000 = dropped
      p3 tcp $p1:7000 = p1 $p1:7000 < $p3
      p1 tcp $p2:7001 = dropped
      p1 tcp $p3:7001 = p3 $p3:7001 < $p1`,
  },
  {
    name: 'sets with ports',
    sh: {
      n1: `ipset create ipport hash:ip,port family inet
      ipset add ipport $p2,tcp:80
      ipset add ipport $p2,udp:53-54
      ipset create netport hash:net,port family inet
      ipset add netport $pods2,81
      ipset create ipportip hash:ip,port,ip family inet
      ipset add ipportip $p2,7000,$p1
      ipset create ipportnet hash:ip,port,net family inet
      ipset add ipportnet $p2,7001,$pods1
      ipset create ports bitmap:port range 7002-7010
      ipset add ports 7003`,
    },
    rules: {
      n1: `filter -A FORWARD -m set --match-set ipport dst,dst -j DROP
      filter -A FORWARD -m set --match-set netport dst,dst -j DROP
      filter -A FORWARD -m set --match-set ipportip dst,dst,src -j DROP
      filter -A FORWARD -m set --match-set ipportnet dst,dst,src -j DROP
      filter -A FORWARD -m set --match-set ports dst -d $p3 -j DROP`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p3:80 = p3 $p3:80 < $p1
      p1 udp $p2:54 = dropped
      p1 tcp $p2:81 = dropped
      p1 tcp $p2:7000 = dropped
      p3 tcp $p2:7000 = p2 $p2:7000 < $p3
      p1 tcp $p2:7001 = dropped
      n1 tcp $p2:7001 = p2 $p2:7001 < $n1
      p1 udp $p3:7003 = dropped
      p1 tcp $p3:7003 = dropped
      p1 tcp $p2:7003 = p2 $p2:7003 < $p1
      p1 icmp $p2 = ok`,
  },
  {
    name: 'networks by device, lists, sets of services',
    sh: {
      n1: `ipset create ifaces hash:net,iface family inet
      ipset add ifaces $pods1,cali1
      ipset create a hash:ip family inet
      ipset add a $p3
      ipset create b hash:net family inet
      ipset add b $lan
      ipset create lists list:set
      ipset add lists a
      ipset add lists b
      ipset create loop hash:ip,port,ip family inet
      ipset add loop $p1,tcp:7000,$p1`,
    },
    rules: {
      n1: `filter -A FORWARD -p tcp -m tcp --dport 81 -m set --match-set ifaces src,src -j DROP
      filter -A FORWARD -p udp -m set --match-set lists dst -j DROP
      nat -A PREROUTING -d $svc -p tcp -j DNAT --to-destination $p1:7000
      nat -A POSTROUTING -m set --match-set loop dst,dst,src -j MASQUERADE`,
    },
    flows: `
      p1 tcp $p2:81 = dropped
      p3 tcp $p2:81 = p2 $p2:81 < $p3
      p1 udp $p3:53 = dropped
      p1 udp $n2:53 = dropped
      p1 udp $p2:53 = p2 $p2:53 < $p1
      p1 tcp $svc:80 = ok`,
  },
])

import { walkSuite } from '../support/netns-suite.ts'
import { bridged, off } from './bridged.ts'

walkSuite('the walk and the kernel: NAT on a bridge', [
  {
    name: 'a service between two pods of one bridge, with br_netfilter',
    sh: bridged(),
    rules: { n1: 'nat -A PREROUTING -d $svc -p tcp --dport 80 -j DNAT --to-destination $p3:7000' },
    flows: `
      p1 tcp $svc:80 = p3 $p3:7000 < $p1
      p3 tcp $svc:80 = dropped
      ext tcp $svc:80 = p3 $p3:7000 < $ext`,
  },
  {
    name: 'and without: the answer goes past n1, and is taken for nobody’s',
    sh: bridged(off),
    rules: { n1: 'nat -A PREROUTING -d $svc -p tcp --dport 80 -j DNAT --to-destination $p3:7000' },
    flows: `
      p1 tcp $svc:80 = dropped
      ext tcp $svc:80 = p3 $p3:7000 < $ext`,
  },
  {
    name: 'and without, but masqueraded',
    sh: bridged(off),
    rules: {
      n1: 'nat -A PREROUTING -d $svc -p tcp --dport 80 -j DNAT --to-destination $p3:7000\nnat -A POSTROUTING -d $p3 -p tcp --dport 7000 -j MASQUERADE',
    },
    flows: `
      p1 tcp $svc:80 = p3 $p3:7000 < $gw1
      p3 tcp $svc:80 = p3 $p3:7000 < $gw1`,
  },
  {
    name: 'masqueraded on the bridge',
    sh: bridged(),
    rules: {
      n1: 'nat -A PREROUTING -d $svc -p tcp --dport 80 -j DNAT --to-destination $p3:7000\nnat -A POSTROUTING -p tcp --dport 7000 -j MASQUERADE',
    },
    flows: `
      p1 tcp $svc:80 = p3 $p3:7000 < $gw1
      p3 tcp $svc:80 = dropped`,
  },
  {
    name: 'resets go straight back, so that nothing is translated',
    sh: bridged(),
    rules: {
      n1: `
        nat -A PREROUTING -d $svc -p tcp --dport 80 -j DNAT --to-destination $p3:7000
        nat -A PREROUTING -d $svc -p tcp --dport 81 -j DNAT --to-destination $p2:7000
        filter -A FORWARD -p tcp --dport 7000 -j REJECT --reject-with tcp-reset
        filter -A FORWARD -p tcp --dport 80 -j REJECT --reject-with tcp-reset
        filter -A OUTPUT -p tcp --tcp-flags RST RST -j DROP`,
    },
    flows: `
      p1 tcp $svc:80 = dropped
      p1 tcp $svc:81 = dropped
      p1 tcp $p3:80 = rst
      p1 tcp $p2:80 = rst`,
  },
  {
    name: 'errors are translated',
    sh: bridged(),
    rules: {
      n1: `
        nat -A PREROUTING -d $svc -p tcp --dport 80 -j DNAT --to-destination $p3:7000
        filter -A FORWARD -p tcp --dport 7000 -j REJECT`,
    },
    flows: 'p1 tcp $svc:80 = icmp 3/3 $svc',
  },
  {
    name: 'redirected to the host',
    sh: bridged(),
    rules: { n1: 'nat -A PREROUTING -i cni0 -p tcp --dport 81 -j REDIRECT --to-ports 80' },
    flows: `
      p1 tcp $p3:81 = n1 $gw1:80 < $p1
      p1 tcp $p2:81 = n1 $gw1:80 < $p1`,
  },
])

import { walkSuite } from '../support/netns-suite.ts'

walkSuite('the walk and the kernel: plain ways', [
  {
    name: 'pods, nodes and outside reach each other',
    flows: `
      p1 tcp $p2:80 = p2 $p2:80 < $p1
      p1 udp $p3:53 = p3 $p3:53 < $p1
      p1 tcp $n1:80 = n1 $n1:80 < $p1
      n1 udp $p2:53 = p2 $p2:53 < $n1
      n1 tcp $p1:80 = p1 $p1:80 < {$n1|$n1}
      ext tcp $p1:80 = p1 $p1:80 < $ext
      p1 tcp $far:80 = ext $far:80 < $p1
      p1 icmp $p2 = ok
      p1 tcp $p2:99 = rst
      p1 udp $p2:99 = icmp 3/3 $p2
      ext udp $n2:99 = icmp 3/3 $n2`,
  },
])

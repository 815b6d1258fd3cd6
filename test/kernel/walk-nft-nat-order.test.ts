import { walkSuite } from '../support/netns-suite.ts'

walkSuite('the walk and the kernel: which chain of nft comes first', [
  {
    name: 'nat chains run where the dispatcher sits, whatever their priority',
    nft: {
      n1: `table ip t {
        chain pre {
          type nat hook prerouting priority 50;
          ip daddr $svc tcp dport 80 dnat to $p2:7000
        }
        chain early {
          type filter hook prerouting priority 0;
          ip daddr $svc tcp dport 80 drop
          ip daddr $p2 tcp dport 7000 meta mark set 0x5
        }
        chain post {
          type nat hook postrouting priority 210;
          meta mark 0x5 masquerade
        }
        chain middle {
          type filter hook postrouting priority 150;
          ip saddr $p1 tcp dport 7000 drop
        }
      }`,
    },
    flows: `
      p1 tcp $svc:80 = p2 $p2:7000 < $n1
      p1 tcp $p2:7000 = p2 $p2:7000 < $n1
      p1 tcp $p2:80 = p2 $p2:80 < $p1`,
  },
  {
    name: 'nat chains by priority among themselves, the first mapping is the last word',
    nft: {
      n1: `table ip t {
        chain late {
          type nat hook prerouting priority -90;
          ip daddr $svc dnat to $p3
          ip daddr $svc2 dnat to $p3
        }
        chain soon {
          type nat hook prerouting priority -110;
          ip daddr $svc tcp dport 80 dnat to $p2
          ip daddr $svc2 tcp dport 80 accept
        }
      }`,
    },
    flows: `
      p1 tcp $svc:80 = p2 $p2:80 < $p1
      p1 tcp $svc:81 = p3 $p3:81 < $p1
      p1 tcp $svc2:80 = p3 $p3:80 < $p1`,
  },
  {
    name: 'of nat chains with one priority the last made is asked first',
    nft: {
      n1: `table ip a {
        chain pre {
          type nat hook prerouting priority -100;
          ip daddr $svc dnat to $p3
        }
      }
      table ip b {
        chain pre {
          type nat hook prerouting priority -100;
          ip daddr $svc tcp dport 80 dnat to $p2
        }
      }`,
    },
    flows: `
      p1 tcp $svc:80 = p2 $p2:80 < $p1
      p1 tcp $svc:81 = p3 $p3:81 < $p1`,
  },
  {
    name: 'a filter chain of the dispatcher’s own priority: whichever was registered last comes first',
    nft: {
      n1: `table ip a {
        chain early {
          type filter hook prerouting priority -100;
          ip daddr $svc tcp dport 80 drop
          ip daddr $p2 tcp dport 7001 drop
        }
      }
      table ip b {
        chain pre {
          type nat hook prerouting priority -100;
          ip daddr $svc tcp dport 80 dnat to $p2:7000
          ip daddr $svc tcp dport 81 dnat to $p2:7001
        }
      }
      table ip c {
        chain late {
          type filter hook prerouting priority -100;
          ip daddr $svc2 tcp dport 80 drop
          ip daddr $svc tcp dport 82 drop
          ip daddr $p2 tcp dport 7000 drop
        }
      }`,
    },
    flows: `
      p1 tcp $svc:80 = p2 $p2:7000 < $p1
      p1 tcp $svc:81 = dropped
      p1 tcp $svc:82 = dropped
      p1 tcp $p2:7000 = dropped`,
  },
  {
    name: 'within a table, too: a chain made before the nat chain comes after NAT',
    nft: {
      n1: `table ip a {
        chain early {
          type filter hook output priority -100;
          ip daddr $svc tcp dport 80 drop
          ip daddr $p2 tcp dport 7001 drop
        }
        chain post {
          type nat hook postrouting priority 100;
        }
        chain pre {
          type nat hook output priority -100;
          ip daddr $svc tcp dport 80 dnat to $p2:7000
          ip daddr $svc tcp dport 81 dnat to $p2:7001
        }
      }`,
    },
    flows: `
      n1 tcp $svc:80 = p2 $p2:7000 < $n1
      n1 tcp $svc:81 = dropped`,
  },
  {
    name: 'a chain of conntrack’s own priority, made before conntrack was needed',
    nft: {
      n1: `table ip a {
        chain early {
          type filter hook prerouting priority -200;
          ct state invalid udp dport 53 drop
          ct state new udp dport 54 drop
        }
      }`,
    },
    flows: `
      p1 udp $p2:53 = p2 $p2:53 < $p1
      p1 udp $p2:54 = dropped`,
  },
  {
    name: 'and one made after an earlier table needed it',
    nft: {
      n1: `table ip a {
        chain user {
          type filter hook forward priority 0;
          ct state new counter
        }
      }
      table ip b {
        chain early {
          type filter hook prerouting priority -200;
          ct state invalid udp dport 53 drop
          ct state new udp dport 54 drop
        }
      }`,
    },
    flows: `
      p1 udp $p2:53 = dropped
      p1 udp $p2:54 = p2 $p2:54 < $p1`,
  },
])

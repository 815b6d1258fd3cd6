/**
 * What another tracer of iptables answers wrongly, with the right answers: which tables are asked, and in which order. Expectations are written by hand;
 * the source of the fact stands beside each. Most are held against a real kernel as well, in test/kernel/walk-*.
 */
import { describe } from 'vitest'
import { row } from '../support/peer-row.ts'

describe('order of tables', () => {
  // nf_nat rewrites in PREROUTING, before FORWARD sees the packet
  row(
    'after a service, FORWARD sees the translated port',
    {
      rules: {
        n1: `
      nat -A PREROUTING -d $svc -p tcp -m tcp --dport 80 -j DNAT --to-destination $p2:7000
      filter -A FORWARD -p tcp -m tcp --dport 7000 -j REJECT --reject-with tcp-reset
      filter -A FORWARD -p tcp -m tcp --dport 80 -j DROP`,
      },
    },
    'p1 tcp $svc:80 = rst',
  )
  // priorities: raw −300, conntrack −200 (netfilter_ipv4.h)
  row(
    'raw comes before conntrack',
    {
      rules: {
        n1: `
      raw -A PREROUTING -m conntrack --ctstate NEW -j DROP
      raw -A PREROUTING -i cali3 -j CT --notrack
      nat -A PREROUTING -d $svc -p tcp -j DNAT --to-destination $p2
      filter -A FORWARD -i cali3 -m conntrack ! --ctstate UNTRACKED -j DROP`,
      },
      routes: { n1: 'prohibit $svc' },
    },
    `
    p1 tcp $svc:80 = p2 $p2:80 < $p1
    p3 tcp $svc:80 = icmp 3/13 $n1
    p3 tcp $p2:80 = p2 $p2:80 < $p3`,
  )
  row(
    'the security table, after filter',
    {
      rules: { n1: 'filter -A FORWARD -j ACCEPT\nsecurity -A FORWARD -p tcp -m tcp --dport 80 -j DROP' },
    },
    'p1 tcp $p2:80 = dropped\np1 tcp $p2:81 = p2 $p2:81 < $p1',
  )
  // both backends register hooks of their own; a packet must pass all of them
  row(
    'legacy and nft are both seen',
    {
      rules: { n1: 'filter -A FORWARD -p tcp -m tcp --dport 80 -j DROP' },
      legacy: { n1: 'filter -A FORWARD -p tcp -m tcp --dport 81 -j DROP' },
    },
    'p1 tcp $p2:80 = dropped\np1 tcp $p2:81 = dropped\np1 tcp $p2:7000 = p2 $p2:7000 < $p1',
  )
  row(
    'native nft base chains decide beside iptables',
    {
      files: {
        'nodes/n1/nft.txt':
          'table inet other {\n\tchain guard {\n\t\ttype filter hook forward priority filter; policy accept;\n\t\ttcp dport 80 drop\n\t}\n}\n',
      },
    },
    'p1 tcp $p2:80 = dropped\np1 tcp $p2:81 = p2 $p2:81 < $p1\np1 tcp $n1:80 = n1 $n1:80 < $p1',
  )
})

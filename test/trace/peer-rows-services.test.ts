/**
 * What another tracer of iptables answers wrongly, with the right answers: pods, policies and services. Expectations are written by hand;
 * the source of the fact stands beside each. Most are held against a real kernel as well, in test/kernel/walk-*.
 */
import { describe, expect, test } from 'vitest'
import { touchAll } from '../snapshot/damage.ts'
import { row } from '../support/peer-row.ts'
import { make } from '../support/snapshot-builder.ts'

describe('pods', () => {
  row(
    'a pod with rules of its own is walked (service mesh sidecars)',
    {
      rules: {
        p2: `
      nat -N PROXY_INBOUND
      nat -A PREROUTING -p tcp -j PROXY_INBOUND
      nat -A PROXY_INBOUND -p tcp -m tcp --dport 81 -j RETURN
      nat -A PROXY_INBOUND -p tcp -j REDIRECT --to-ports 7000
      filter -A INPUT -p udp -j DROP`,
      },
    },
    `
    p1 tcp $p2:80 = p2 $p2:7000 < $p1
    p1 tcp $p2:81 = p2 $p2:81 < $p1
    p1 udp $p2:53 = dropped`,
  )
  test('a pod dump that is damaged is no empty one', () => {
    expect(() => touchAll(make({ files: { 'pods/t_p2/iptables-save.txt': '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tc' } }))).toThrow(
      /pods\/t_p2\/iptables-save.txt|line|expected/,
    )
  })

  // Felix: a policy that admits sets the accept bit and returns; only after the last is what is left dropped
  const union = `
    filter -N cali-to-wl-dispatch
    filter -N cali-tw-cali3
    filter -N cali-pi-a
    filter -N cali-pi-b
    filter -A FORWARD -o cali+ -j cali-to-wl-dispatch
    filter -A cali-to-wl-dispatch -o cali3 -g cali-tw-cali3
    filter -A cali-tw-cali3 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    filter -A cali-tw-cali3 -j MARK --set-xmark 0x0/0x30000
    filter -A cali-tw-cali3 -m mark --mark 0x0/0x20000 -j cali-pi-a
    filter -A cali-tw-cali3 -m mark --mark 0x10000/0x10000 -j RETURN
    filter -A cali-tw-cali3 -m mark --mark 0x0/0x20000 -j cali-pi-b
    filter -A cali-tw-cali3 -m mark --mark 0x10000/0x10000 -j RETURN
    filter -A cali-tw-cali3 -m mark --mark 0x0/0x20000 -j DROP
    filter -A cali-pi-a -p tcp -m multiport --dports 80 -j MARK --set-xmark 0x10000/0x10000
    filter -A cali-pi-b -s $ext -j MARK --set-xmark 0x10000/0x10000`
  row(
    'NetworkPolicies are a union, as Felix programs them',
    { rules: { n1: union } },
    `
    p1 tcp $p3:80 = p3 $p3:80 < $p1
    p1 tcp $p3:81 = dropped
    ext tcp $p3:81 = p3 $p3:81 < $ext`,
  )
})

describe('services, as kube-proxy programs them', () => {
  const chains = (...names: string[]) => names.map((n) => `nat -N ${n}`).join('\n')
  const masq = `
    nat -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
    nat -A POSTROUTING -j KUBE-POSTROUTING
    nat -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
    nat -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
    nat -A KUBE-POSTROUTING -j MASQUERADE --random-fully`
  row(
    'the port that a named targetPort became',
    {
      rules: {
        n1: `${chains('SVC')}\nnat -A PREROUTING -d $svc -p tcp -m tcp --dport 80 -j SVC\nnat -A SVC -p tcp -j DNAT --to-destination $p2:7003`,
      },
    },
    'p1 tcp $svc:80 = p2 $p2:7003 < $p1',
  )
  row(
    'several NodePort services',
    {
      rules: {
        n1: `${chains('NODEPORTS', 'EXT-A', 'EXT-B', 'KUBE-MARK-MASQ', 'KUBE-POSTROUTING')}${masq}
      nat -A PREROUTING -m addrtype --dst-type LOCAL -j NODEPORTS
      nat -A NODEPORTS -d $n1 -p tcp -m tcp --dport 30080 -j EXT-A
      nat -A NODEPORTS -p tcp -m tcp --dport 30081 -j EXT-B
      nat -A EXT-A -j KUBE-MARK-MASQ
      nat -A EXT-A -p tcp -j DNAT --to-destination $p2:80
      nat -A EXT-B -j KUBE-MARK-MASQ
      nat -A EXT-B -p tcp -j DNAT --to-destination $p2:81`,
      },
    },
    `
    ext tcp $n1:30080 = p2 $p2:80 < $n1
    ext tcp $n1:30081 = p2 $p2:81 < $n1
    ext tcp $n1b:30081 = p2 $p2:81 < $n1
    ext tcp $n1b:30080 = rst
    ext tcp $n1:30082 = rst`,
  )
  row(
    'a pod that reaches itself through its service is masqueraded',
    {
      rules: {
        n1: `${chains('SEP', 'KUBE-MARK-MASQ', 'KUBE-POSTROUTING')}${masq}
      nat -A PREROUTING -d $svc -p tcp -m tcp --dport 80 -j SEP
      nat -A SEP -s $p1 -j KUBE-MARK-MASQ
      nat -A SEP -p tcp -j DNAT --to-destination $p1:80`,
      },
      // cali1 has no global address: IPv4 takes the host's first, IPv6 the longest common prefix
    },
    'p1 tcp $svc:80 = ok\np3 tcp $svc:80 = p1 $p1:80 < $p3',
  )
  row(
    'internalTrafficPolicy Local without a local endpoint',
    {
      rules: {
        n1: `${chains('SVL')}\nnat -A PREROUTING -d $svc -p tcp -m tcp --dport 80 -j SVL
      filter -A FORWARD -d $svc -p tcp -m tcp --dport 80 -j DROP
      filter -A OUTPUT -d $svc -p tcp -m tcp --dport 80 -j DROP`,
      },
    },
    'p1 tcp $svc:80 = dropped\nn1 tcp $svc:80 = dropped',
  )
  const affinity = `${chains('SVC', 'SEP-A', 'SEP-B')}
    nat -A PREROUTING -d $svc -p tcp -m tcp --dport 80 -j SVC
    nat -A SVC -m recent --rcheck --seconds 10800 --reap --name SEP-A --mask {255.255.255.255|ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff} --rsource -j SEP-A
    nat -A SVC -m recent --rcheck --seconds 10800 --reap --name SEP-B --mask {255.255.255.255|ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff} --rsource -j SEP-B
    nat -A SVC -m statistic --mode random --probability 0.5 -j SEP-A
    nat -A SVC -j SEP-B
    nat -A SEP-A -p tcp -m recent --set --name SEP-A --mask {255.255.255.255|ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff} --rsource -j DNAT --to-destination $p2:80
    nat -A SEP-B -p tcp -m recent --set --name SEP-B --mask {255.255.255.255|ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff} --rsource -j DNAT --to-destination $p2:81`
  row('session affinity: a new client is spread', { rules: { n1: affinity } }, 'p1 tcp $svc:80 = 0.5 p2 $p2:80 < $p1 | 0.5 p2 $p2:81 < $p1')
  // /proc/net/xt_recent: who is in the list and young goes to the same endpoint again (xt_recent.c, --rcheck --seconds); at 250 Hz the last stamp
  // is 2,700,000 jiffies ago after three hours
  const visited = (now: number | undefined) => ({
    rules: { n1: affinity },
    files: {
      'nodes/n1/xt_recent.txt':
        '==> /proc/net/xt_recent/SEP-B <==\nsrc=10.244.1.2 ttl: 63 last_seen: 4299000000 oldest_pkt: 1 4299000000\nsrc=fd44:0001:0000:0000:0000:0000:0000:0002 ttl: 63 last_seen: 4299000000 oldest_pkt: 1 4299000000\n==> /proc/net/xt_recent/SEP-A <==\n',
      ...(now !== undefined && { 'nodes/n1/jiffies.txt': `now at ${(now - 4294967296 + 75000) * 4}000000 nsecs\njiffies: ${now}\n` }),
    },
  })
  row('session affinity: a client that was here before', visited(4299000000 + 2_700_000), 'p1 tcp $svc:80 = p2 $p2:81 < $p1')
  row(
    'session affinity: a client that was here too long ago',
    visited(4299000000 + 2_700_001),
    'p1 tcp $svc:80 = 0.5 p2 $p2:80 < $p1 | 0.5 p2 $p2:81 < $p1',
  )
  row('session affinity: a client that was here who knows when', visited(undefined), 'p1 tcp $svc:80 = undecided')
  // kube-proxy writes rules for serving, terminating endpoints only where none is ready; the rules say which
  row(
    'terminating endpoints',
    {
      rules: {
        n1: `${chains('SVC')}\nnat -A PREROUTING -d $svc -p tcp -m tcp --dport 80 -j SVC\nnat -A SVC -p tcp -j DNAT --to-destination $p2:80`,
        n2: 'filter -A FORWARD -d $svc2 -m comment --comment "t/gone has no endpoints" -j REJECT --reject-with icmp-port-unreachable',
      },
      routes: { n1: '$svc2 via $n2 dev eth0' },
    },
    'p1 tcp $svc:80 = p2 $p2:80 < $p1\np1 udp $svc2:53 = icmp 3/3 $n2',
  )
  row(
    'loadBalancerSourceRanges',
    {
      rules: {
        n1: `${chains('FW', 'SVC')}
      nat -A PREROUTING -d $svc2 -p tcp -m tcp --dport 80 -j FW
      nat -A FW -s $lan -j SVC
      nat -A SVC -p tcp -j DNAT --to-destination $p2:80
      filter -A FORWARD -d $svc2 -p tcp -m tcp --dport 80 -j DROP`,
      },
    },
    'ext tcp $svc2:80 = dropped\np1 tcp $svc2:80 = dropped\nn2 tcp $p2:80 = ok',
  )
})

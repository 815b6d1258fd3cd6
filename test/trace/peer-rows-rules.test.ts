/**
 * What another tracer of iptables answers wrongly, with the right answers: rules. Expectations are written by hand;
 * the source of the fact stands beside each. Most are held against a real kernel as well, in test/kernel/walk-*.
 */
import { describe, expect, test } from 'vitest'
import { row } from '../support/peer-row.ts'
import { link, walk } from '../support/snapshot-builder.ts'

describe('rules', () => {
  // a rule whose match is not known can only decide for packets that get as far as that match
  row(
    'one unknown match or target does not void the dump',
    {
      rules: {
        n1: `
      raw -A PREROUTING -p tcp -m tcp --dport 9 -j TRACE
      raw -A PREROUTING -p tcp -m tcp --dport 9 -j CT --zone 7
      mangle -A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
      mangle -A FORWARD -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff
      nat -A PREROUTING -p tcp -m tcp --dport 9 -j REDIRECT --to-ports 10
      filter -A FORWARD -m conntrack --ctstate INVALID -m nfacct --nfacct-name  ct_state_invalid_dropped_pkts -j DROP
      filter -A FORWARD -j NFLOG --nflog-prefix "D" --nflog-group 1
      filter -A FORWARD -j LOG --log-prefix "seen: "
      filter -A FORWARD -p sctp -m sctp --dport 9 -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 1:9 --tcp-flags FIN,SYN,RST,ACK SYN -m string --string "x" --algo bm -j DROP
      filter -A FORWARD -p udp -m udp --dport 9 -m u32 --u32 "0x0=0x1" -j DROP
      filter -A FORWARD -p udp -m udp --dport 9 -m bpf --bytecode "1,6 0 0 0" -j DROP
      filter -A FORWARD -p udp -m udp --dport 9 -m ipvs --ipvs -j DROP
      filter -A FORWARD -m physdev --physdev-is-bridged -j DROP
      filter -A FORWARD -p tcp -m recent --rcheck --seconds 9 --name NOBODY --rsource -j DROP
      filter -A FORWARD -m limit --limit 5/sec -j LOG
      filter -A FORWARD -m hashlimit --hashlimit-upto 5/sec --hashlimit-name h -j LOG
      filter -A FORWARD -m connmark --mark 0x77 -j DROP
      filter -A OUTPUT -p tcp -m tcp --dport 9 -m owner --uid-owner 0 -j DROP
      filter -A INPUT -p tcp -m tcp --dport 9 -m socket -j DROP
      filter -A FORWARD -j NOSUCHTARGET --with options
      filter -A FORWARD -p tcp -m tcp --dport 81 -j REJECT --reject-with tcp-reset`.replace(
          '-j NOSUCH',
          '-p tcp -m tcp --dport 9 -j NOSUCH',
        ),
      },
    },
    `
    p1 tcp $p2:80 = p2 $p2:80 < $p1
    p1 tcp $p2:81 = rst
    p1 udp $p2:53 = p2 $p2:53 < $p1
    p1 tcp $p2:9 = undecided`,
  )

  test('more than 10,240 chains', () => {
    const chains = Array.from(
      { length: 10_300 },
      (_, i) => `filter -N C${i}\nfilter -A C${i} ${i === 10_299 ? '-p tcp -m tcp --dport 81 -j DROP' : `-j C${i + 1}`}`,
    )
    const deep = chains.map((c, i) => (i % 3 === 2 || i === 10_299 ? c : c.replace(/-j C\d+/, '-j RETURN')))
    const { got, want } = walk(
      { rules: { n1: `${deep.join('\n')}\nfilter -A FORWARD -j C10299` } },
      'p1 tcp $p2:80 = p2 $p2:80 < $p1\np1 tcp $p2:81 = dropped',
    )
    expect(got).toEqual(want)
  })

  // xt_mark.c: mark_tg returns XT_CONTINUE
  row(
    'MARK sets the mark and goes on: the pattern of cali-FORWARD',
    {
      rules: {
        n1: `
      filter -N cali-FORWARD
      filter -N cali-from-wl-dispatch
      filter -N cali-fw-cali1
      filter -A FORWARD -j cali-FORWARD
      filter -A FORWARD -m mark --mark 0x10000/0x10000 -j ACCEPT
      filter -A cali-FORWARD -j MARK --set-xmark 0x0/0x1a0000
      filter -A cali-FORWARD -i cali+ -j cali-from-wl-dispatch
      filter -A cali-from-wl-dispatch -i cali1 -g cali-fw-cali1
      filter -A cali-from-wl-dispatch -j DROP
      filter -A cali-fw-cali1 -p udp -j DROP
      filter -A cali-fw-cali1 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x10000/0x10000
      filter -A cali-fw-cali1 -m mark --mark 0x10000/0x10000 -j RETURN
      filter -A cali-fw-cali1 -j DROP`,
      },
    },
    `
    p1 tcp $p2:80 = p2 $p2:80 < $p1
    p1 tcp $p2:81 = dropped
    p1 udp $p2:53 = dropped
    p3 tcp $p2:80 = dropped`,
  )

  // ip_tables.c, ip_packet_match: names are compared under a mask that ends before the +
  row(
    '-i cali+',
    { rules: { n1: 'filter -A FORWARD -i cali+ -p tcp -m tcp --dport 80 -j DROP' } },
    'p1 tcp $p2:80 = dropped\next tcp $p1:80 = p1 $p1:80 < $ext',
  )
  row(
    '-o and ! -o',
    {
      rules: {
        n1: 'filter -A FORWARD -o eth0 -p tcp -m tcp --dport 80 -j DROP\nfilter -A FORWARD ! -o cali+ -p tcp -m tcp --dport 81 -j DROP',
      },
    },
    `
    p1 tcp $p2:80 = dropped
    p1 tcp $p3:80 = p3 $p3:80 < $p1
    p1 tcp $p3:81 = p3 $p3:81 < $p1
    p1 tcp $p2:81 = dropped`,
  )

  // nf_conntrack_core.c: a SYN is NEW, what answers it ESTABLISHED, neither is INVALID
  row(
    'ctstate',
    {
      rules: {
        n1: `filter -P FORWARD DROP
      filter -A FORWARD -m conntrack --ctstate INVALID -j DROP
      filter -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      filter -A FORWARD -i cali1 -m conntrack --ctstate NEW -j ACCEPT`,
      },
    },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1\nn2 tcp $p1:80 = dropped\np1 udp $p2:99 = icmp 3/3 $p2',
  )
  // nf_nat_masquerade.c: the address of the out device; nf_reject_ipv4.c
  row(
    'MASQUERADE and REJECT',
    {
      rules: { n1: 'nat -A POSTROUTING -o eth1 -j MASQUERADE\nfilter -A FORWARD -d $far -j REJECT --reject-with icmp-host-unreachable' },
    },
    'p1 tcp $extb:80 = ext $extb:80 < $n1b\np1 udp $far:53 = icmp 3/1 $n1',
  )
  // xt_statistic.c: each rule decides for itself; what is left goes on
  row(
    'statistic: the weights of branches',
    {
      rules: {
        n1: `
      nat -A PREROUTING -d $svc -p tcp -m statistic --mode random --probability 0.33333333349 -j DNAT --to-destination $p1:80
      nat -A PREROUTING -d $svc -p tcp -m statistic --mode random --probability 0.50000000000 -j DNAT --to-destination $p2:80
      nat -A PREROUTING -d $svc -p tcp -j DNAT --to-destination $p2:81`,
      },
    },
    'p3 tcp $svc:80 = 0.333 p1 $p1:80 < $p3 | 0.333 p2 $p2:80 < $p3 | 0.333 p2 $p2:81 < $p3',
  )
  // ip_tables.c, ipt_do_table: a goto leaves nothing on the jump stack
  row(
    'goto comes back to the caller of the caller',
    {
      rules: {
        n1: `
      filter -N A
      filter -N B
      filter -A FORWARD -j A
      filter -A FORWARD -p tcp -m tcp --dport 81 -j DROP
      filter -A A -g B
      filter -A A -j DROP
      filter -A B -p udp -j RETURN`,
      },
    },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1\np1 tcp $p2:81 = dropped\np1 udp $p2:53 = p2 $p2:53 < $p1',
  )
  row(
    'masks of marks from 0x80000000 on',
    {
      rules: {
        n1: `
      mangle -A PREROUTING -i cali1 -j MARK --set-xmark 0xfff00000/0xfff00000
      filter -A FORWARD -m mark --mark 0xfff00000/0xfff00000 -j DROP`,
      },
    },
    'p1 tcp $p2:80 = dropped\np3 tcp $p2:80 = p2 $p2:80 < $p3',
  )
  // xt_addrtype.c: the type of the source in the host's own tables
  row(
    'addrtype --src-type',
    {
      rules: {
        n1: 'filter -A INPUT -p tcp -m addrtype --src-type LOCAL -j DROP\nmangle -A POSTROUTING -p udp -m addrtype --src-type LOCAL -j DROP',
      },
    },
    `
    n1 tcp $n1:80 = dropped
    ext tcp $n1:80 = n1 $n1:80 < $ext
    n1 udp $p2:53 = dropped
    p1 udp $p2:53 = p2 $p2:53 < $p1`,
  )
  // ipt_rpfilter.c: a lookup of the source, and the device must be the one it came by
  row(
    'rpfilter --validmark --invert',
    {
      links: { p1: [link(12, 'other', 'dummy', ['10.9.9.9/32', 'fd99::9/128'])] },
      rules: { n1: 'raw -A PREROUTING -i cali+ -m rpfilter --validmark --invert -j DROP' },
    },
    `
    p1 tcp $p2:80 = p2 $p2:80 < $p1
    p1@{10.9.9.9|fd99::9} tcp $p2:80 = dropped
    ext tcp $p1:80 = p1 $p1:80 < $ext`,
  )
  row(
    'ipset types that it does not know',
    {
      sets: {
        n1: `
      create ip hash:ip family inet hashsize 1024 maxelem 65536
      add ip $p1
      create net hash:net family inet hashsize 1024 maxelem 65536 timeout 0
      add net $pods timeout 0
      add net $pods2 timeout 0 nomatch
      create netport hash:net,port family inet hashsize 1024 maxelem 65536
      add netport $pods2,tcp:7000
      create ipportnet hash:ip,port,net family inet hashsize 1024 maxelem 65536
      add ipportnet $p2,tcp:7001,$pods1
      create netnet hash:net,net family inet hashsize 1024 maxelem 65536
      add netnet $pods1,$pods2
      create netiface hash:net,iface family inet hashsize 1024 maxelem 65536
      add netiface $pods1,cali3
      create list list:set size 8
      add list ip`,
      },
      rules: {
        n1: `
      filter -A FORWARD -p tcp -m tcp --dport 80 -m set --match-set list src -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 81 -m set --match-set net dst -j DROP
      filter -A FORWARD -m set --match-set netport dst,dst -j DROP
      filter -A FORWARD -m set --match-set ipportnet dst,dst,src -j DROP
      filter -A FORWARD -p udp -m udp --dport 53 -m set --match-set netnet src,dst -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 7002 -m set --match-set netiface src,src -j DROP`,
      },
    },
    `
    p1 tcp $p2:80 = dropped
    p3 tcp $p2:80 = p2 $p2:80 < $p3
    p1 tcp $p3:81 = dropped
    p1 tcp $p2:81 = p2 $p2:81 < $p1
    p1 tcp $p2:7000 = dropped
    p1 tcp $p2:7001 = dropped
    p1 udp $p2:53 = dropped
    p1 udp $p3:53 = p3 $p3:53 < $p1
    p1 tcp $p2:7002 = p2 $p2:7002 < $p1
    p3 tcp $p2:7002 = dropped`,
  )
  // a SYN has 20 bytes of TCP header and at most 40 of options; the first forwarder has taken 1 off a TTL of 64
  row(
    'length, ttl, mac, dscp, fragments',
    {
      rules: {
        n1: `
      filter -A FORWARD -p tcp -m tcp --dport 80 --tcp-flags SYN,ACK SYN -m length --length 1000:65535 -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 81 -m {ttl --ttl-eq 63|hl --hl-eq 63} -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 7000 -m dscp --dscp 0x2e -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 7001 -m mac --mac-source 02:00:00:00:00:99 -j DROP
      filter -A FORWARD {-f|-m frag --fragid 0:1} -j DROP`,
      },
    },
    `
    p1 tcp $p2:80 = p2 $p2:80 < $p1
    p1 tcp $p2:81 = dropped
    p1 tcp $p2:7000 = p2 $p2:7000 < $p1
    p1 tcp $p2:7001 = undecided`,
  )
})

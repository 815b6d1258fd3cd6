import { describe, expect, test } from 'vitest'
import { ip } from '../../../src/net/ip.ts'
import { type Packet, port } from '../../../src/net/packet.ts'
import { ConntrackTable } from '../../../src/trace/conntrack/conntrack.ts'
import { attach, type Ct, viewOf } from '../../../src/trace/conntrack/entry.ts'
import { mapDestination, mapSource, translate } from '../../../src/trace/conntrack/nat-mapping.ts'

const syn: Packet = {
  family: 4,
  proto: 'tcp',
  src: ip('10.244.1.2'),
  dst: ip('10.96.0.10'),
  sport: port(40000),
  dport: port(80),
  tcp: 'SYN',
  ttl: 64,
}
const entryOf = (ct: Ct) => {
  if (ct.kind !== 'entry') throw new Error('no entry')
  return ct.entry
}
const reply = (p: Packet, flags: Packet['tcp']): Packet => ({
  ...p,
  src: p.dst,
  dst: p.src,
  sport: p.dport as never,
  dport: p.sport as never,
  tcp: flags as never,
})

describe('connection tracking', () => {
  test('an entry that was not confirmed is gone: a retransmission is NEW again', () => {
    const table = new ConntrackTable()
    const first = table.track(syn)
    expect(viewOf(first).state).toBe('NEW')
    expect(entryOf(table.track(syn))).not.toBe(entryOf(first))
    table.confirm(first)
    expect(entryOf(table.track(syn))).toBe(entryOf(first))
  })

  test('NEW stays NEW in the original direction until a reply was seen, then both are ESTABLISHED', () => {
    const table = new ConntrackTable()
    table.confirm(table.track(syn))
    expect(viewOf(table.track(syn)).state).toBe('NEW')
    expect(viewOf(table.track(reply(syn, 'SYN-ACK')))).toMatchObject({ state: 'ESTABLISHED', direction: 'REPLY' })
    expect(viewOf(table.track({ ...syn, tcp: 'ACK' })).state).toBe('ESTABLISHED')
  })

  test('SYN-ACK, RST and echo reply that belong to nothing are INVALID, a lone ACK is NEW (tcp_loose)', () => {
    const table = new ConntrackTable()
    expect(viewOf(table.track(reply(syn, 'SYN-ACK'))).state).toBe('INVALID')
    expect(viewOf(table.track({ ...syn, tcp: 'RST' })).state).toBe('INVALID')
    expect(viewOf(table.track({ ...syn, tcp: 'ACK' })).state).toBe('NEW')
    expect(
      viewOf(table.track({ family: 4, proto: 'icmp', src: syn.src, dst: syn.dst, icmp: { type: 0, code: 0, id: 1 }, ttl: 64 })).state,
    ).toBe('INVALID')
  })

  test('an ACK on a host that saw the SYN but not its answer is INVALID', () => {
    const table = new ConntrackTable()
    table.confirm(table.track(syn))
    expect(viewOf(table.track({ ...syn, tcp: 'ACK' })).state).toBe('INVALID')
  })

  test('DNAT and masquerade forward, both undone on the way back', () => {
    const table = new ConntrackTable()
    const ct = table.track(syn)
    mapDestination(entryOf(ct), ip('10.244.2.3'), port(8080))
    const routed = translate(syn, ct, 'DST')
    expect([routed.dst.text, routed.dport?.lo]).toEqual(['10.244.2.3', 8080])
    mapSource(entryOf(ct), ip('172.18.0.11'), { lo: 1024, hi: 65535 })
    const out = translate(routed, ct, 'SRC')
    expect([out.src.text, out.sport?.lo]).toEqual(['172.18.0.11', 1024])
    table.confirm(ct)

    const answer = table.track(reply(out, 'SYN-ACK'))
    expect(viewOf(answer)).toMatchObject({ state: 'ESTABLISHED', direction: 'REPLY', dnat: true, snat: true })
    const inside = translate(reply(out, 'SYN-ACK'), answer, 'DST')
    expect([inside.dst.text, inside.dport?.lo, inside.src.text]).toEqual(['10.244.1.2', 40000, '10.244.2.3'])
    const back = translate(inside, answer, 'SRC')
    expect([back.src.text, back.sport?.lo]).toEqual(['10.96.0.10', 80])
  })

  test('an ICMP error is RELATED by the packet inside, and comes in the name of the service', () => {
    const table = new ConntrackTable()
    const ct = table.track(syn)
    mapDestination(entryOf(ct), ip('10.244.2.3'), port(8080))
    const out = translate(syn, ct, 'DST')
    table.confirm(ct)
    const error: Packet = {
      family: 4,
      proto: 'icmp',
      src: ip('172.18.0.1'),
      dst: ip('10.244.1.2'),
      icmp: { type: 3, code: 0 },
      ttl: 64,
      inner: out,
    }
    const related = table.track(error)
    expect(viewOf(related)).toMatchObject({ state: 'RELATED', direction: 'REPLY' })
    const back = translate(error, related, 'SRC')
    expect([back.src.text, back.inner?.dst.text, back.inner?.dport?.lo]).toEqual(['10.96.0.10', '10.96.0.10', 80])
    // an error about a packet that nobody sent, and one for somebody else
    expect(viewOf(table.track({ ...error, inner: { ...out, dport: port(81) } })).state).toBe('INVALID')
    expect(viewOf(table.track({ ...error, dst: ip('10.244.1.9') })).state).toBe('INVALID')
  })

  test('an answer made on the spot takes over even an unconfirmed entry', () => {
    const ct = new ConntrackTable().track(syn)
    expect(viewOf(attach(ct))).toMatchObject({ state: 'RELATED', direction: 'REPLY' })
  })
})

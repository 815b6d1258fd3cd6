/** A packet and its surroundings for tests of matches; what the test doesn't name is an ordinary new TCP connection being forwarded. */

import { AT_ONCE } from '../../../src/kernel/elapsed.ts'
import { parseIpsetSave } from '../../../src/kernel/ipset/parse.ts'
import type { CtView, MatchEnv } from '../../../src/kernel/iptables/env.ts'
import { matches } from '../../../src/kernel/iptables/match.ts'
import { parseIptablesSave } from '../../../src/kernel/iptables/parse.ts'
import type { Rule } from '../../../src/kernel/iptables/types.ts'
import { type Family, ip } from '../../../src/net/ip.ts'
import { type Packet, port } from '../../../src/net/packet.ts'

export const tcp = (over: Partial<Packet> & { readonly from?: string; readonly to?: string } = {}): Packet => {
  const { from = '10.244.0.5', to = '10.96.0.10', ...rest } = over
  const src = ip(from)
  return { family: src.family, proto: 'tcp', src, dst: ip(to), sport: port(40000), dport: port(80), tcp: 'SYN', ttl: 64, ...rest }
}

export const udp = (over: Parameters<typeof tcp>[0] = {}): Packet => {
  const { tcp: _, ...packet } = tcp({ proto: 'udp', dport: port(53), ...over })
  return packet
}

export const ping = (type = 8, code = 0, over: Parameters<typeof tcp>[0] = {}): Packet => {
  const { sport: _s, dport: _d, tcp: _t, ...packet } = tcp({ proto: 'icmp', icmp: { type, code }, ...over })
  return packet.family === 6 ? { ...packet, proto: 'icmpv6' } : packet
}

export const newCt: CtView = {
  state: 'NEW',
  direction: 'ORIGINAL',
  snat: false,
  dnat: false,
  seenReply: false,
  assured: false,
  confirmed: false,
  mark: 0,
}

export interface Asked {
  readonly unknown: string[]
  readonly chances: number[]
  readonly assumed: string[]
}

type Over = Partial<Omit<MatchEnv, 'ct' | 'ipset'>> & { readonly ct?: Partial<CtView>; readonly sets?: string }

/** The environment, and what was asked of it. Questions are answered with yes unless `over` says otherwise. */
export function makeEnv(over: Over = {}): { readonly env: MatchEnv; readonly asked: Asked } {
  const asked: Asked = { unknown: [], chances: [], assumed: [] }
  const { ct, sets, ...rest } = over
  const dump = parseIpsetSave(sets ?? '', 'ipset-save.txt')
  const env: MatchEnv = {
    packet: tcp(),
    mark: 0,
    hook: 'FORWARD',
    inDevice: 'cali123',
    outDevice: 'eth0',
    localSender: false,
    addressType: () => 'UNICAST',
    reversePath: () => true,
    recent: () => ({ stamps: undefined, now: 0 }),
    keepRecent: () => undefined,
    clock: { unknown: 'no clock' },
    elapsed: AT_ONCE,
    ipvs: undefined,
    hasSocket: () => undefined,
    unknown: (reason) => asked.unknown.push(reason) > 0,
    chance: (p) => asked.chances.push(p) > 0,
    assume: (what) => void asked.assumed.push(what),
    ...rest,
    ct: { ...newCt, ...ct },
    ipset: (name) => dump.sets.get(name),
  }
  return { env, asked }
}

/** A rule from its words, `-s 10.0.0.0/8 -j ACCEPT`; chains `X` and `Y` exist. */
export function rule(words: string, family: Family = 4): Rule {
  const dump = parseIptablesSave(`*filter\n:A - [0:0]\n:X - [0:0]\n:Y - [0:0]\n-A A ${words}\nCOMMIT\n`, 'test', family)
  return dump.tables[0]?.chains.get('A')?.rules[0] as Rule
}

/** Yes or no where the model is certain; `unknown`, `chance P` or `assumed yes|no` where it isn't. */
export function ask(words: string, over: Over = {}): boolean | string {
  const { env, asked } = makeEnv(over)
  const answer = matches(rule(words, env.packet.family), env)
  if (asked.unknown.length > 0) return 'unknown'
  if (asked.chances.length > 0) return `chance ${asked.chances.join(' ')}`
  return asked.assumed.length > 0 ? `assumed ${answer ? 'yes' : 'no'}` : answer
}

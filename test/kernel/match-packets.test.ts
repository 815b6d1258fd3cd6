/**
 * Real packets against real rules and sets: for each packet the counters of the kernel's rules tell which of them matched, and the
 * model has to say the same. Packets go from a namespace to itself, so they are seen in OUTPUT.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatIpsetSave } from '../../src/kernel/ipset/format.ts'
import { parseIpsetSave } from '../../src/kernel/ipset/parse.ts'
import { formatIptablesSave } from '../../src/kernel/iptables/format.ts'
import { matches } from '../../src/kernel/iptables/match.ts'
import { parseIptablesSave } from '../../src/kernel/iptables/parse.ts'
import { type Family, ip } from '../../src/net/ip.ts'
import { headerBytes, type Packet, port } from '../../src/net/packet.ts'
import { makeEnv } from '../kernel-tables/iptables/packet-env.ts'
import { needs } from '../support/needs.ts'
import { makeNamespace, type Namespace } from './namespace.ts'
import { makeRandom, type Random } from './random.ts'
import { randomRules } from './random-rules.ts'
import { hosts, ports, randomSets } from './random-sets.ts'

interface Sent {
  readonly proto: string
  readonly src: string
  readonly dst: string
  readonly sport: number
  readonly dport: number
  readonly type: number
  readonly code: number
  readonly mark: number
  readonly ttl: number
  readonly payload: number
}

function randomPacket(random: Random, family: Family): Sent {
  const proto = random.pick(['tcp', 'tcp', 'udp', 'udp', 'udp', 'sctp', family === 4 ? 'icmp' : 'icmpv6', 'gre'])
  const [type, code] =
    family === 4
      ? random.pick([
          [8, 0],
          [13, 0],
        ] as const)
      : random.pick([
          [128, 0],
          [200, 1],
        ] as const)
  return {
    proto,
    type,
    code,
    src: random.pick(hosts(family)),
    dst: random.pick(hosts(family)),
    sport: random.pick(ports),
    dport: random.pick(ports),
    mark: random.pick([0x1, 0x3, 0x5, 0x80000001, 0xfff00001]),
    ttl: random.pick([64, 1, 255]),
    payload: random.below(3) * 20,
  }
}

/** Packets that belong to no connection of an earlier one, in neither direction: every one is the first that conntrack sees. */
function randomPackets(random: Random, family: Family): Sent[] {
  const seen = new Set<string>()
  const packets: Sent[] = []
  for (let i = 0; i < 120; i++) {
    const p = randomPacket(random, family)
    const ported = p.proto === 'tcp' || p.proto === 'udp'
    const ends = [`${p.src} ${ported ? p.sport : ''}`, `${p.dst} ${ported ? p.dport : ''}`].sort()
    const key = `${p.proto} ${ends.join(' ')}`
    if (seen.has(key) || ends[0] === ends[1]) continue
    seen.add(key)
    packets.push(p)
  }
  return packets.slice(0, 50)
}

/** Conntrack's answer to a first packet: SCTP without a checksum and ICMPv6 of a type that nobody knows are invalid. */
const stateOf = (p: Sent) => (p.proto === 'sctp' || (p.proto === 'icmpv6' && p.type === 200) ? 'INVALID' : 'NEW')

function toPacket(sent: Sent, family: Family): Packet {
  const base = { family, src: ip(sent.src), dst: ip(sent.dst), ttl: sent.ttl }
  const withPorts = { ...base, sport: port(sent.sport), dport: port(sent.dport) }
  switch (sent.proto) {
    case 'tcp':
      return { ...withPorts, proto: 'tcp', tcp: 'SYN' }
    case 'udp':
      return { ...withPorts, proto: 'udp', size: headerBytes(family, 'udp') + sent.payload }
    case 'sctp':
      return { ...withPorts, proto: 'sctp' }
    case 'gre':
      return { ...base, proto: 47 }
    default:
      return { ...base, proto: family === 4 ? 'icmp' : 'icmpv6', icmp: { type: sent.type, code: sent.code } }
  }
}

function sendAll(ns: Namespace, command: string, packets: readonly Sent[]): string[] {
  const script = join(import.meta.dirname, 'send-local.py')
  const input = packets.map((p) => `${JSON.stringify(p)}\n`).join('')
  const result = spawnSync('ip', ['netns', 'exec', ns.name, 'python3', script, command], { encoding: 'utf8', input })
  if (result.status !== 0) throw new Error(result.stderr)
  return result.stdout.trim().split('\n')
}

/** Runs every line by itself; those that this kernel or these tools refuse are left out. */
const runEach = (ns: Namespace, lines: readonly string[]) => ns.sh(`${lines.map((line) => `${line} 2>/dev/null`).join('\n')}\ntrue`)

const seeds = (process.env.NETCTL_SEEDS ?? '1,2').split(',').map(Number)

const suite = describe.runIf(needs('root', 'ip', 'iptables-restore', 'ipset', 'python3'))

suite('the kernel and the model agree, packet by packet', () => {
  const cases = ([4, 6] as const).flatMap((family) => seeds.map((seed) => ({ family, seed })))
  test.each(cases)('IPv$family, seed $seed', ({ family, seed }) => {
    const random = makeRandom(seed * 10 + family)
    const command = `${family === 4 ? 'iptables' : 'ip6tables'}-${random.pick(['nft', 'legacy'])}`
    const ns = makeNamespace()
    try {
      ns.sh(`ip link set lo up; for a in ${hosts(6).join(' ')}; do ip addr add $a/128 dev lo nodad; done`)
      const { lines, names } = randomSets(random, family)
      runEach(
        ns,
        lines.map((line) => `ipset ${line}`),
      )
      ns.sh(`${command} -N T; ${command} -A OUTPUT -m mark --mark 0x1/0x1 -j T`)
      runEach(
        ns,
        randomRules(random, family, names).map((rule) => `${command} -w -A T ${rule}`),
      )

      const setText = ns.sh('ipset save')
      expect(formatIpsetSave(parseIpsetSave(setText, 'ipset-save.txt'))).toBe(setText)
      const ruleText = ns.sh(`${command}-save`)
      const dump = parseIptablesSave(ruleText, 'iptables-save.txt', family)
      expect(formatIptablesSave(dump)).toBe(ruleText)
      const rules = dump.tables.find((t) => t.name === 'filter')?.chains.get('T')?.rules ?? []
      expect(rules.length).toBeGreaterThan(20)

      const texts = ruleText.split('\n')
      const packets = randomPackets(random, family)
      const wrong: string[] = []
      let certain = 0
      for (const [i, counted] of sendAll(ns, command, packets).entries()) {
        const sent = packets[i] as Sent
        for (const [k, rule] of rules.entries()) {
          const { env, asked } = makeEnv({
            packet: toPacket(sent, family),
            mark: sent.mark,
            hook: 'OUTPUT',
            inDevice: '',
            outDevice: 'lo',
            localSender: true,
            addressType: () => 'LOCAL',
            sets: setText,
            ct: { state: stateOf(sent) },
          })
          const answer = matches(rule, env)
          if (asked.unknown.length > 0 || asked.chances.length > 0) continue
          certain++
          if (answer !== (counted[k] === '1')) wrong.push(`${texts[rule.line - 1]} says ${answer} of ${JSON.stringify(sent)}`)
        }
      }
      expect(wrong).toEqual([])
      expect(certain).toBeGreaterThan(500)
    } finally {
      ns.remove()
    }
  })
})

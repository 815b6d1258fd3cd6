/** `nft monitor trace`: what the kernel says of each rule that a packet passed. */
import { spawn } from 'node:child_process'

/** One packet's way through the tables of one host. */
export interface TracedPacket {
  /** of the first headers that were seen */
  readonly src: string
  readonly dst: string
  readonly proto: string
  readonly sport: number
  readonly dport: number
  /** `ip t ways: tcp dport 80 drop`, `ip t ways: policy drop`: rules that ran to their end, in order; counters without numbers */
  readonly rules: string[]
}

/** A rule as it is compared: what counts while packets pass is left out. */
export const ruleText = (text: string): string =>
  text
    .trim()
    .replace(/ comment "[^"]*"$/, '')
    .replace(/counter packets \d+ bytes \d+/, 'counter')

export interface Monitor {
  /** packets so far, in the order in which they were first seen */
  packets(): readonly TracedPacket[]
  stop(): void
}

/** Listens in a namespace; resolves when it does. `first`: the table that has packets traced, before all others on its hooks. */
export function monitorTrace(ns: string, first: string): Promise<Monitor> {
  const child = spawn('nsenter', [`--net=/run/netns/${ns}`, 'stdbuf', '-oL', 'nft', 'monitor', 'trace'])
  let out = ''
  child.stdout.on('data', (d: Buffer) => {
    out += d.toString()
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    // there is no word when it listens
    setTimeout(() => resolve({ packets: () => parseTrace(out, first), stop: () => child.kill() }), 400)
  })
}

/**
 * The table that sets `meta nftrace` comes first: where it meets a packet, a new one begins, since the kernel takes its ids from where a packet
 * lies in memory and comes back to them.
 */
export function parseTrace(text: string, first: string): readonly TracedPacket[] {
  const packets: TracedPacket[] = []
  const current = new Map<string, TracedPacket>()
  for (const line of text.split('\n')) {
    const [, id, table, chain, rest] = /^trace id ([0-9a-f]+) (\S+ \S+) (\S+) (.*)$/.exec(line) ?? []
    if (id === undefined || rest === undefined) continue
    if (rest.startsWith('packet: ')) {
      if (table !== first) continue
      const packet = { ...headers(rest), rules: [] }
      packets.push(packet)
      current.set(id, packet)
      continue
    }
    if (table === first) continue
    const rule = /^rule (.*) \(verdict [^)]*\)$/.exec(rest.trim())?.[1]
    if (rule !== undefined) current.get(id)?.rules.push(`${table} ${chain}: ${ruleText(rule)}`)
    else if (rest.startsWith('policy drop')) current.get(id)?.rules.push(`${table} ${chain}: policy drop`)
  }
  return packets
}

function headers(text: string): Omit<TracedPacket, 'rules'> {
  const word = (pattern: RegExp) => pattern.exec(text)?.[1] ?? ''
  const [, proto = '', sport = '0'] = /\b(tcp|udp) sport (\d+)/.exec(text) ?? []
  return {
    src: word(/ip6? saddr (\S+)/),
    dst: word(/ip6? daddr (\S+)/),
    proto,
    sport: Number(sport),
    dport: Number(word(/(?:tcp|udp) dport (\d+)/)),
  }
}

/** `nft monitor trace`: what the kernel says of each rule that a packet passed. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { parseTraceEvents } from '../../src/kernel/nftables/trace-events.ts'

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
export async function monitorTrace(ns: string, first: string): Promise<Monitor> {
  const child = spawn('nsenter', [`--net=/run/netns/${ns}`, 'stdbuf', '-oL', 'nft', 'monitor', 'trace'])
  let out = ''
  child.stdout.on('data', (d: Buffer) => {
    out += d.toString()
  })
  await expect.poll(() => isListening(child.pid ?? 0)).toBe(true)
  return { packets: () => parseTrace(out, first), stop: () => child.kill() }
}

/** There is no word when it listens: but its namespace has then a netlink socket (of NETLINK_NETFILTER, 12) in the group of traces (NFNLGRP_NFTRACE, 9). */
const isListening = (pid: number): boolean =>
  readFileSync(`/proc/${pid}/net/netlink`, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/ +/))
    .some(([, protocol, , groups = '']) => protocol === '12' && (Number.parseInt(groups, 16) & (1 << 8)) !== 0)

/**
 * The table that sets `meta nftrace` comes first: where it meets a packet, a new one begins, since the kernel takes its ids from where a packet
 * lies in memory and comes back to them.
 */
export function parseTrace(text: string, first: string): readonly TracedPacket[] {
  const packets: TracedPacket[] = []
  const current = new Map<string, TracedPacket>()
  for (const event of parseTraceEvents(text)) {
    const { id, table, chain } = event
    if (event.kind === 'packet' && event.headers && table === first) {
      const { src, dst, proto, sport = 0, dport = 0 } = event.headers
      const packet = { src, dst, proto: sport === 0 ? '' : proto, sport, dport, rules: [] }
      packets.push(packet)
      current.set(id, packet)
    } else if (table !== first && event.kind === 'rule' && event.text !== '')
      current.get(id)?.rules.push(`${table} ${chain}: ${ruleText(event.text)}`)
    else if (table !== first && event.kind === 'policy' && event.verdict === 'drop')
      current.get(id)?.rules.push(`${table} ${chain}: policy drop`)
  }
  return packets
}

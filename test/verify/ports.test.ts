import { expect, test } from 'vitest'
import { openConntrack } from '../../src/kernel/conntrack/dump.ts'
import type { Host, Snapshot } from '../../src/snapshot/types.ts'
import { portsFrom } from '../../src/verify/ports.ts'

const snapshotOf = (text?: string): Pick<Snapshot, 'hosts'> => {
  const host = { ...(text !== undefined && { conntrack: openConntrack(text, 'nodes/n1/conntrack.txt') }) } as Host
  return { hosts: new Map([['node/n1', host]]) }
}

test('ten thousand ports, each once, from a random one on', () => {
  const ports = portsFrom(snapshotOf(), 0.9999)
  expect(ports.slice(0, 3)).toEqual([29_999, 20_000, 20_001])
  expect(new Set(ports).size).toBe(10_000)
})

test('ports of connections that are listed come last, whichever way they were translated', () => {
  const ports = portsFrom(
    snapshotOf(
      [
        'tcp      6 9 CLOSE src=10.244.1.2 dst=10.96.0.10 sport=20000 dport=80 src=10.244.2.2 dst=10.244.1.2 sport=8080 dport=20000 [ASSURED] mark=0 use=1',
        'tcp      6 99 TIME_WAIT src=10.244.1.2 dst=10.96.0.10 sport=40000 dport=80 src=10.244.2.2 dst=172.18.0.2 sport=8080 dport=20002 [ASSURED] mark=0 use=1',
        'udp      17 9 src=fd00::2 dst=fd00::3 sport=20003 dport=53 [UNREPLIED] src=fd00::3 dst=fd00::2 sport=53 dport=20003 mark=0 use=1',
        '',
      ].join('\n'),
    ),
    0,
  )
  expect(ports.slice(0, 2)).toEqual([20_001, 20_004])
  expect(ports.slice(-3)).toEqual([20_000, 20_002, 20_003])
})

import { describe, expect, test } from 'vitest'
import { parseFlows } from '../../src/cluster/flows.ts'
import { loadCluster } from '../../src/cluster/load.ts'
import { ParseError } from '../../src/kernel/source.ts'
import { ip } from '../../src/net/ip.ts'

const pods = JSON.stringify([{ kind: 'Pod', metadata: { name: 'client', namespace: 'shop' }, status: { podIP: '10.0.0.1' } }])
const inventory = {
  cluster: loadCluster({ files: ['cluster/pods.json'], text: () => pods }),
  hosts: [{ kind: 'node' as const, name: 'n1', ips: [ip('172.18.0.11')] }],
}
const parse = (text: string) => parseFlows(text, '-', inventory)
const good = { from: { kind: 'pod', name: 'shop/client' }, proto: 'tcp', dst: '10.96.0.1', port: 80 }

test('reads lines, keeps ids, ignores what it does not know', () => {
  const lines = [
    { ...good, id: 'f1', expect: 'dropped', via: 'x', results: [1] },
    { ...good, id: 7, proto: 'icmp', port: 80 },
    { ...good, proto: 'udp', payload: 1400, from: { kind: 'external', name: 'unheard-of', ip: '203.0.113.9', ip6: 'fd00:0::9' } },
  ]
  const flows = parse(`${lines.map((l) => JSON.stringify(l)).join('\n\n')}\r\n`)
  expect(flows).toEqual([
    { line: 1, id: 'f1', expect: 'dropped', flow: good },
    { line: 3, id: 7, flow: { from: good.from, proto: 'icmp', dst: '10.96.0.1' } },
    {
      line: 5,
      flow: { ...good, proto: 'udp', payload: 1400, from: { kind: 'external', name: 'unheard-of', ip: '203.0.113.9', ip6: 'fd00::9' } },
    },
  ])
  expect(parse('')).toEqual([])
})

describe('bad lines', () => {
  test.each<[string, unknown, string]>([
    ['no JSON', undefined, 'not JSON'],
    ['no object', [good], 'object'],
    ['no sender', { ...good, from: undefined }, 'from'],
    ['a sender of no kind', { ...good, from: { kind: 'svc', name: 'a/b' } }, 'from.kind'],
    ['a pod without namespace', { ...good, from: { kind: 'pod', name: 'client' } }, 'NAMESPACE/NAME'],
    ['a pod that is not there', { ...good, from: { kind: 'pod', name: 'shop/nobody' } }, 'no pod “shop/nobody”'],
    ['a node that is not there', { ...good, from: { kind: 'node', name: 'n9' } }, 'no node'],
    ['an outside host without an address', { ...good, from: { kind: 'external', name: 'nobody' } }, 'no outside host'],
    ['a sender without anything', { ...good, from: { kind: 'external' } }, 'name or an ip'],
    ['a bad sender address', { ...good, from: { kind: 'external', ip: '1.2.3' } }, 'from.ip'],
    ['a bad destination', { ...good, dst: 'svc/web' }, 'dst'],
    ['a bad protocol', { ...good, proto: 'TCP' }, 'proto'],
    ['no port', { ...good, port: undefined }, 'port'],
    ['a port that is none', { ...good, port: 65536 }, 'port'],
    ['a port as text', { ...good, port: '80' }, 'port'],
    ['too large a payload', { ...good, payload: 70_000 }, 'payload'],
    ['an unknown verdict', { ...good, expect: 'maybe' }, 'expect'],
    ['an id that is none', { ...good, id: {} }, 'id'],
  ])('%s', (_, line, why) => {
    const text = `${JSON.stringify(good)}\n${line === undefined ? '{"from"' : JSON.stringify(line)}\n`
    try {
      parse(text)
      expect.unreachable('should have been refused')
    } catch (error) {
      expect(error).toBeInstanceOf(ParseError)
      expect(error).toMatchObject({ file: '-', line: 2 })
      expect((error as Error).message).toContain(why)
    }
  })
})

test('100,000 lines are no matter', () => {
  const started = performance.now()
  expect(parse(`${JSON.stringify(good)}\n`.repeat(100_000))).toHaveLength(100_000)
  expect(performance.now() - started).toBeLessThan(15_000)
})

/** Expectations are worked out by hand from net/netfilter/ipvs/ip_vs_*.c; picks.test.ts holds sh and mh against a real kernel. */
import { describe, expect, test } from 'vitest'
import { hashBucket, hashTable } from '../../../src/kernel/ipvs/hash-table.ts'
import { hsiphash } from '../../../src/kernel/ipvs/maglev.ts'
import { parseIpvsSave } from '../../../src/kernel/ipvs/parse-save.ts'
import { type Question, schedule } from '../../../src/kernel/ipvs/schedule.ts'
import type { VirtualServer } from '../../../src/kernel/ipvs/types.ts'
import { ip } from '../../../src/net/ip.ts'

const client: Question = { src: ip('10.0.0.9'), dst: ip('10.96.0.1'), sport: { lo: 32768, hi: 60999 } }

/** Servers .1, .2, … with these weights, `w` or `w active+inactive/upper`. */
function service(scheduler: string, servers: readonly string[], more: Partial<VirtualServer> = {}): VirtualServer {
  const lines = servers.map((s, i) => `-a -t 10.96.0.1:80 -r 10.1.0.${i + 1}:80 -m -w ${s.split(' ')[0]}\n`)
  const [made] = parseIpvsSave(`-A -t 10.96.0.1:80 -s ${scheduler}\n${lines.join('')}`, 'f').services
  const counted = made?.servers.map((s, i) => {
    const match = /(\d+)\+(\d+)(?:\/(\d+))?$/.exec(servers[i] as string)
    return match ? { ...s, connections: { active: Number(match[1]), inactive: Number(match[2]) }, upper: Number(match[3] ?? 0) } : s
  })
  return { ...(made as VirtualServer), servers: counted ?? [], ordered: true, ...more }
}

function say(service: VirtualServer, question = client): string {
  const result = schedule(service, question)
  if (result.kind === 'unknown') return `unknown: ${result.why}`
  const told = result.shares.map((s) => `${s.server ? `.${s.server.ip.text.split('.')[3]}` : 'none'} ${Math.round(s.share * 1000) / 1000}`)
  return told.join(', ') + (result.assumed.length > 0 ? ` (${result.assumed.length})` : '')
}

describe('shares', () => {
  test.each([
    ['rr', ['1', '1', '1', '1'], '.1 0.25, .2 0.25, .3 0.25, .4 0.25'],
    ['rr', ['5', '0', '1'], '.1 0.5, .3 0.5'],
    ['rr', ['0', '0'], 'none 1'],
    ['rr', [], 'none 1'],
    ['rr', ['1 5+5/10', '1 1+1/10'], '.2 1'],
    // between the thresholds it depends on the past
    ['rr', ['1 5+3/10', '1 1+1/10'], '.1 0.5, .2 0.5 (1)'],
    ['wrr', ['3', '1'], '.1 0.75, .2 0.25'],
    ['lc', ['3', '1'], '.1 0.5, .2 0.5 (1)'],
    ['lc', ['3'], '.1 1'],
    ['wlc', ['3', '1', '0'], '.1 0.75, .2 0.25 (1)'],
    ['sed', ['3', '1'], '.1 0.75, .2 0.25 (1)'],
    ['nq', ['1', '1'], '.1 0.5, .2 0.5 (1)'],
    ['lblc', ['1', '1'], '.1 0.5, .2 0.5 (1)'],
    ['lblcr', ['1'], '.1 1'],
    ['twos', ['1', '1'], '.1 0.5, .2 0.5'],
    ['fo', ['1', '3', '2'], '.2 1'],
    ['fo', ['1', '3', '3'], '.2 1'],
    ['fo', ['1', '3 9+0/5', '2'], '.3 1'],
    ['ovf', ['2 0+0', '4 5+0', '3 3+9'], '.3 1'],
    ['ovf', ['2 3+0', '4 5+0'], 'none 1'],
    ['ovf', ['2', '4'], '.2 1 (1)'],
    ['future', ['1'], 'unknown: IPVS scheduler future is not modelled'],
  ])('%s %j: %s', (scheduler, servers, expected) => expect(say(service(scheduler, servers))).toBe(expected))

  test('an unknown order: the first of equals may be any', () =>
    expect(say(service('fo', ['3', '1', '3'], { ordered: false }))).toBe('.1 0.5, .3 0.5 (1)'))
})

describe('hashes', () => {
  // multiplied as big integers, unlike the code
  test('hash_32 with 8 bits', () =>
    expect(hashBucket({ ip: ip('10.0.0.9'), port: 0 })).toBe(Number((0x0a000009n * 0x61c88647n) & 0xffffffffn) >>> 24))
  test('IPv6 addresses are folded', () =>
    expect(hashBucket({ ip: ip('fd00::1'), port: 5 })).toBe(Number(((0xfd000001n + 5n) * 0x61c88647n) & 0xffffffffn) >>> 24))
  test('buckets are filled in turn, by weight', () => {
    expect(hashTable([1, 3]).slice(0, 8)).toEqual([0, 1, 1, 1, 0, 1, 1, 1])
    expect(hashTable([0, 2]).slice(0, 6)).toEqual([0, 1, 1, 0, 1, 1])
    expect(hashTable([500]).length).toBe(256)
    expect(hashTable([])).toEqual([])
  })

  const bucket = hashBucket({ ip: client.src, port: 0 })

  test('sh picks by source address', () => {
    expect(say(service('sh', ['1', '1', '1']))).toBe(`.${(bucket % 3) + 1} 1`)
    expect(say(service('sh', ['1', '1', '1'], { ordered: false }))).toBe('.1 0.333, .2 0.333, .3 0.333 (1)')
    expect(say(service('sh', ['1'], { ordered: false }))).toBe('.1 1')
  })

  test('a draining server of sh refuses its clients, unless sh-fallback looks further', () => {
    const weights = ['1', '1'].map((w, i) => (i === bucket % 2 ? '0' : w))
    expect(say(service('sh', weights))).toBe('none 1')
    expect(say(service('sh', weights, { flags: ['sh-fallback'] }))).toBe(`.${((bucket + 1) % 2) + 1} 1`)
    expect(say(service('sh', ['0', '0'], { flags: ['sh-fallback'] }))).toBe('none 1')
    expect(say(service('sh', ['0', '1'], { ordered: false }))).toBe('none 0.5, .2 0.5 (1)')
  })

  test('sh-port needs the port', () => {
    const flags = ['sh-port']
    expect(say(service('sh', ['3', '1'], { flags }))).toBe('.1 0.75, .2 0.25')
    const known = { ...client, sport: { lo: 40000, hi: 40000 } }
    expect(say(service('sh', ['1', '1'], { flags }), known)).toBe(`.${(hashBucket({ ip: client.src, port: 40000 }) % 2) + 1} 1`)
  })

  test('dh picks by destination, whatever the weight', () => {
    const at = hashBucket({ ip: client.dst, port: 0 }) % 2
    expect(say(service('dh', ['1', '9']))).toBe(`.${at + 1} 1`)
    expect(say(service('dh', at === 0 ? ['0', '9'] : ['9', '0']))).toBe('none 1')
    expect(say(service('dh', ['1', '9'], { ordered: false }))).toBe('.1 0.5, .2 0.5 (1)')
  })

  test('mh without mh-port picks by address; weights count', () => {
    expect(say(service('mh', ['1', '1', '1']))).toMatch(/^\.\d 1$/)
    expect(say(service('mh', ['3', '1'], { flags: ['mh-port'] }))).toBe('.1 0.75, .2 0.25')
    expect(say(service('mh', ['0', '1'], { flags: ['mh-fallback'] }))).toBe('.2 1 (1)')
    expect(say(service('mh', ['0', '0']))).toBe('none 1 (1)')
  })

  test('hsiphash has 32 bits and depends on the key', () => {
    expect(hsiphash(1, 1n)).toBeLessThan(2 ** 32)
    expect(hsiphash(1, 1n)).not.toBe(hsiphash(1, 2n))
  })
})

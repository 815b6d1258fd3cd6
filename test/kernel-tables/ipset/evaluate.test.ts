import { describe, expect, test } from 'vitest'
import { testSet } from '../../../src/kernel/ipset/evaluate.ts'
import { parseIpsetSave } from '../../../src/kernel/ipset/parse.ts'
import type { Packet } from '../../../src/net/packet.ts'
import { port } from '../../../src/net/packet.ts'
import { ask, ping, tcp, udp } from '../iptables/packet-env.ts'

type Over = {
  readonly packet?: Packet
  readonly mark?: number
  readonly inDevice?: string
  readonly outDevice?: string
  readonly returnNomatch?: boolean
}

/** Looks a packet from 10.244.0.5:40000 to 10.96.0.10:80 up in set `s`. */
function look(save: string, directions: string, over: Over = {}): boolean | string {
  const { sets } = parseIpsetSave(save, 'ipset-save.txt')
  const set = sets.get('s')
  if (!set) throw new Error('no set s')
  const result = testSet(set, directions.split(',') as ('src' | 'dst')[], {
    packet: tcp(),
    mark: 0,
    inDevice: 'cali123',
    outDevice: 'eth0',
    ipset: (name) => sets.get(name),
    ...over,
  })
  return result.kind === 'unknown' ? 'unknown' : result.found
}

const hash = (type: string, ...elements: readonly string[]) =>
  `create s hash:${type} family inet hashsize 1024 maxelem 65536\n${elements.map((e) => `add s ${e}\n`).join('')}`

describe('addresses', () => {
  test('hash:ip', () => {
    expect(look(hash('ip', '10.244.0.5'), 'src')).toBe(true)
    expect(look(hash('ip', '10.244.0.5'), 'dst')).toBe(false)
    expect(look(hash('ip', '10.244.0.6'), 'src')).toBe(false)
    // more directions than the type has are ignored, fewer never match
    expect(look(hash('ip', '10.244.0.5'), 'src,dst,dst')).toBe(true)
  })

  test('hash:ip with a netmask', () => {
    expect(look('create s hash:ip family inet hashsize 64 maxelem 64 netmask 24\nadd s 10.244.0.0\n', 'src')).toBe(true)
    expect(look('create s hash:ip family inet hashsize 64 maxelem 64 netmask 24\nadd s 10.244.1.0\n', 'src')).toBe(false)
    expect(look('create s hash:ip family inet hashsize 64 maxelem 64 bitmask 255.0.255.255\nadd s 10.0.0.5\n', 'src')).toBe(true)
  })

  test('the other family never matches', () => {
    expect(look(hash('net', '0.0.0.0/1'), 'src', { packet: tcp({ from: 'fd00::1', to: 'fd00::2' }) })).toBe(false)
    const six = 'create s hash:net family inet6 hashsize 64 maxelem 64\nadd s fd00::/64\n'
    expect(look(six, 'src', { packet: tcp({ from: 'fd00::1', to: 'fd00::2' }) })).toBe(true)
    expect(look(six, 'src')).toBe(false)
  })

  test('hash:net, most specific first, nomatch', () => {
    expect(look(hash('net', '10.244.0.0/16'), 'src')).toBe(true)
    expect(look(hash('net', '10.244.0.5'), 'src')).toBe(true)
    expect(look(hash('net', '10.0.0.0/8', '10.244.0.0/16 nomatch'), 'src')).toBe(false)
    expect(look(hash('net', '10.244.0.0/16 nomatch', '10.244.0.0/24'), 'src')).toBe(true)
    expect(look(hash('net', '10.0.0.0/8', '10.244.0.5 nomatch'), 'src')).toBe(false)
    expect(look(hash('net', '10.0.0.0/8', '10.245.0.0/16 nomatch'), 'src')).toBe(true)
  })

  test('--return-nomatch turns found and excepted round', () => {
    const save = hash('net', '10.0.0.0/8', '10.244.0.0/16 nomatch')
    expect(look(save, 'src', { returnNomatch: true })).toBe(true)
    expect(look(save, 'dst', { returnNomatch: true })).toBe(false)
    expect(look(save, 'src', { returnNomatch: true, packet: tcp({ from: '192.0.2.1' }) })).toBe(false)
  })

  test('hash:net,net', () => {
    const save = hash('net,net', '10.244.0.0/16,10.96.0.0/16')
    expect(look(save, 'src,dst')).toBe(true)
    expect(look(save, 'dst,src')).toBe(false)
    expect(look(save, 'src')).toBe(false)
    // within one length of the first network, the longest second one decides
    expect(look(hash('net,net', '10.244.0.0/16,10.96.0.0/16 nomatch', '10.244.0.0/16,10.96.0.10'), 'src,dst')).toBe(true)
    expect(look(hash('net,net', '10.244.0.0/24,10.0.0.0/8 nomatch', '10.244.0.0/16,10.96.0.10'), 'src,dst')).toBe(false)
  })

  test('bitmap:ip', () => {
    expect(look('create s bitmap:ip range 10.244.0.0/24\nadd s 10.244.0.5\n', 'src')).toBe(true)
    expect(look('create s bitmap:ip range 10.244.0.0/24\nadd s 10.244.0.5\n', 'dst')).toBe(false)
    expect(look('create s bitmap:ip range 10.244.0.0/16 netmask 24\nadd s 10.244.0.0/24\n', 'src')).toBe(true)
  })
})

describe('ports', () => {
  test.each([
    ['10.96.0.10,tcp:80', 'dst,dst', true],
    ['10.96.0.10,tcp:81', 'dst,dst', false],
    ['10.96.0.10,udp:80', 'dst,dst', false],
    ['10.96.0.10,sctp:80', 'dst,dst', false],
    ['10.244.0.5,tcp:80', 'src,dst', true],
    ['10.244.0.5,tcp:40000', 'src,src', true],
    ['10.96.0.10,tcp:80', 'dst', false],
  ])('hash:ip,port %s by %s is %s', (element, directions, answer) => expect(look(hash('ip,port', element), directions)).toBe(answer))

  test('ICMP has type and code in place of ports, whichever direction is asked', () => {
    for (const element of ['10.96.0.10,icmp:echo-request', '10.96.0.10,icmp:8/0']) {
      expect(look(hash('ip,port', element), 'dst,dst', { packet: ping() })).toBe(true)
      expect(look(hash('ip,port', element), 'dst,src', { packet: ping() })).toBe(true)
      expect(look(hash('ip,port', element), 'dst,dst', { packet: ping(0) })).toBe(false)
    }
    // members of TCP, however numbered, are none of ICMP's: 8 << 8 is 2048
    expect(look(hash('ip,port', '10.96.0.10,tcp:2048'), 'dst,dst', { packet: ping() })).toBe(false)
  })

  test('protocols without ports have port 0', () => {
    const { sport: _s, dport: _d, tcp: _t, ...packet } = tcp({ proto: 'ipencap' })
    expect(look(hash('ip,port', '10.96.0.10,ipencap:0'), 'dst,dst', { packet })).toBe(true)
    expect(look(hash('ip,port', '10.96.0.10,tcp:0'), 'dst,dst', { packet })).toBe(false)
  })

  test('an unknown source port', () => {
    const packet = udp({ sport: { lo: 32768, hi: 60999 } })
    expect(look(hash('ip,port', '10.244.0.5,udp:40000'), 'src,src', { packet })).toBe('unknown')
    expect(look(hash('ip,port', '10.244.0.5,udp:1024'), 'src,src', { packet })).toBe(false)
    expect(look(hash('ip,port', '10.244.0.6,udp:40000'), 'src,src', { packet })).toBe(false)
  })

  test("hash:ip,port,ip: kube-proxy's hairpins", () => {
    const packet = tcp({ from: '10.244.0.5', to: '10.244.0.5', dport: port(8080) })
    expect(look(hash('ip,port,ip', '10.244.0.5,tcp:8080,10.244.0.5'), 'dst,dst,src', { packet })).toBe(true)
    expect(look(hash('ip,port,ip', '10.244.0.5,tcp:8080,10.244.0.6'), 'dst,dst,src', { packet })).toBe(false)
    expect(look(hash('ip,port,ip', '10.244.0.5,tcp:8080,10.244.0.5'), 'dst,dst', { packet })).toBe(false)
  })

  test('hash:ip,port,net: source ranges', () => {
    expect(look(hash('ip,port,net', '10.96.0.10,tcp:80,10.244.0.0/16'), 'dst,dst,src')).toBe(true)
    expect(look(hash('ip,port,net', '10.96.0.10,tcp:80,10.245.0.0/16'), 'dst,dst,src')).toBe(false)
    expect(look(hash('ip,port,net', '10.96.0.10,tcp:80,10.244.0.0/16', '10.96.0.10,tcp:80,10.244.0.0/24 nomatch'), 'dst,dst,src')).toBe(
      false,
    )
  })

  test('hash:net,port and hash:net,port,net', () => {
    expect(look(hash('net,port', '10.96.0.0/16,tcp:80'), 'dst,dst')).toBe(true)
    expect(look(hash('net,port', '10.96.0.0/16,tcp:80', '10.96.0.0/24,tcp:80 nomatch'), 'dst,dst')).toBe(false)
    expect(look(hash('net,port', '10.96.0.0/16,tcp:80', '10.96.0.0/24,tcp:81 nomatch'), 'dst,dst')).toBe(true)
    expect(look(hash('net,port,net', '10.244.0.0/16,tcp:80,10.96.0.0/16'), 'src,dst,dst')).toBe(true)
    expect(look(hash('net,port,net', '10.244.0.0/16,tcp:80,10.97.0.0/16'), 'src,dst,dst')).toBe(false)
  })

  test('bitmap:port: TCP and UDP, nothing else, of either family', () => {
    const save = 'create s bitmap:port range 0-65535\nadd s 80\n'
    expect(look(save, 'dst')).toBe(true)
    expect(look(save, 'src')).toBe(false)
    expect(look(save, 'dst', { packet: udp({ dport: port(80) }) })).toBe(true)
    expect(look(save, 'dst', { packet: tcp({ proto: 'sctp' }) })).toBe(false)
    expect(look('create s bitmap:port range 0-65535\nadd s 2048\n', 'dst', { packet: ping() })).toBe(false)
    expect(look(save, 'dst', { packet: tcp({ from: 'fd00::1', to: 'fd00::2' }) })).toBe(true)
    expect(look(save, 'src', { packet: tcp({ sport: { lo: 1, hi: 100 } }) })).toBe('unknown')
  })
})

describe('devices, marks, lists, timeouts', () => {
  test('hash:net,iface', () => {
    const save = hash('net,iface', '10.244.0.0/16,cali123', '10.96.0.0/16,eth0')
    expect(look(save, 'src,src')).toBe(true)
    expect(look(save, 'src,dst')).toBe(false)
    expect(look(save, 'dst,dst')).toBe(true)
    expect(look(save, 'dst,dst', { outDevice: '' })).toBe(false)
    expect(look(hash('net,iface', '10.244.0.0/16,physdev:cali123'), 'src,src')).toBe(false)
    expect(look(hash('net,iface', '10.244.0.0/16,cali wildcard'), 'src,src')).toBe(true)
    expect(look(hash('net,iface', '10.244.0.0/16,cali'), 'src,src')).toBe(false)
    expect(look(hash('net,iface', '0.0.0.0/0,cali123'), 'src,src')).toBe(true)
    expect(look(hash('net,iface', '10.244.0.0/16,eth0', '10.244.0.0/16,cali123'), 'src,src')).toBe(true)
  })

  test('hash:net,iface looks no further than the first network that holds the address', () => {
    expect(look(hash('net,iface', '10.244.0.0/24,eth9', '10.244.0.0/16,cali123'), 'src,src')).toBe(false)
    expect(look(hash('net,iface', '10.244.0.5,eth9', '10.244.0.0/16,cali123'), 'src,src')).toBe(false)
    expect(look(hash('net,iface', '10.244.1.0/24,eth9', '10.244.0.0/16,cali123'), 'src,src')).toBe(true)
  })

  test('hash:ip,mark', () => {
    const save = (options: string, mark: string) =>
      `create s hash:ip,mark family inet${options} hashsize 64 maxelem 64\nadd s 10.244.0.5,${mark}\n`
    expect(look(save('', '0x00004000'), 'src,src', { mark: 0x4000 })).toBe(true)
    expect(look(save('', '0x00004000'), 'src,src', { mark: 0x14000 })).toBe(false)
    expect(look(save(' markmask 0xfff00000', '0xfff00000'), 'src,src', { mark: 0xfff04000 })).toBe(true)
  })

  test('MAC addresses are not modelled', () => {
    expect(look(hash('mac', '02:00:00:00:00:01'), 'src')).toBe('unknown')
    expect(look(hash('ip,mac', '10.244.0.5,02:00:00:00:00:01'), 'src,src')).toBe('unknown')
    expect(look(hash('ip,mac', '10.244.0.6,02:00:00:00:00:01'), 'src,src')).toBe(false)
  })

  test('list:set', () => {
    const lists = `${hash('ip', '10.1.1.1').replaceAll(' s ', ' a ')}${hash('ip,port', '10.244.0.5,tcp:80').replaceAll(' s ', ' b ')}`
    const save = `${lists}create s list:set size 8\nadd s a\nadd s b\n`
    expect(look(save, 'src,dst')).toBe(true)
    // a member with more dimensions than directions never matches
    expect(look(save, 'src')).toBe(false)
    expect(look(save, 'src', { packet: tcp({ from: '10.1.1.1' }) })).toBe(true)
    expect(look('create s list:set size 8\nadd s gone\n', 'src')).toBe('unknown')
    expect(look('create s list:set size 8\n', 'src')).toBe(false)
    expect(look(`${lists}create s list:set size 8\nadd s gone\nadd s b\n`, 'src,dst')).toBe(true)
  })

  test('unknown types', () => expect(look('create s hash:quux family inet\nadd s what,ever\n', 'src')).toBe('unknown'))
})

describe('-m set', () => {
  const sets = `${hash('net', '10.244.0.0/16', '10.9.0.0/16 timeout 30', '10.8.0.0/16 timeout 0')}`
  test.each([
    ['--match-set s src', true],
    ['! --match-set s src', false],
    ['--match-set s dst', false],
    ['! --match-set s dst', true],
    ['--match-set gone src', 'unknown'],
    ['! --match-set gone src', 'unknown'],
    ['--match-set s src ! --update-counters', true],
    ['--match-set s src --packets-gt 5', 'unknown'],
    ['--match-set s dst --return-nomatch', false],
  ])('%s is %s', (words, answer) => expect(ask(`-m set ${words}`, { sets })).toBe(answer))

  test('a member with time left is taken to be there still', () => {
    expect(ask('-m set --match-set s src', { sets, packet: tcp({ from: '10.9.1.1' }) })).toBe('assumed yes')
    expect(ask('-m set ! --match-set s src', { sets, packet: tcp({ from: '10.9.1.1' }) })).toBe('assumed no')
    expect(ask('-m set --match-set s src', { sets, packet: tcp({ from: '10.8.1.1' }) })).toBe(true)
  })

  test('a missing set is named', () => {
    const said: string[] = []
    ask('-m set --match-set cali40s:x src', { unknown: (reason) => said.push(reason) > 0 })
    expect(said).toEqual(['set cali40s:x is not in ipset-save.txt: is the packet in it?'])
  })
})

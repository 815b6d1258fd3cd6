import { describe, expect, test } from 'vitest'
import { ParseError } from '../../../src/kernel/source.ts'
import { peerFor } from '../../../src/kernel/wireguard/allowed.ts'
import { parseWireguard } from '../../../src/kernel/wireguard/parse.ts'
import { formatPrefix, ip } from '../../../src/net/ip.ts'
import { needs } from '../../support/needs.ts'
import { dumps } from '../dumps.ts'
import { refusesBadText } from '../hostile.ts'

const key = (c: string) => `${c.repeat(43)}=`

// in the words of pretty_print (wireguard-tools, show.c)
const PRINTED = `interface: wg0
  public key: ${key('a')}
  private key: ${key('S')}
  listening port: 51820
  fwmark: 0x200000

peer: ${key('b')}
  preshared key: ${key('P')}
  endpoint: [fd18::12]:51821
  allowed ips: 10.244.2.0/26, fd44:2::/122, 0.0.0.0/0
  latest handshake: 1 minute, 9 seconds ago
  transfer: 57.04 KiB received, 62.04 KiB sent
  persistent keepalive: every 25 seconds

peer: ${key('c')}
  allowed ips: (none)

interface: wg1
`

describe('parseWireguard', () => {
  refusesBadText(parseWireguard)

  test('devices and peers; secret keys are not kept', () => {
    const devices = parseWireguard(PRINTED, 'f')
    expect(devices).toMatchObject([
      {
        source: { file: 'f', line: 1 },
        name: 'wg0',
        publicKey: key('a'),
        port: 51820,
        fwmark: 0x200000,
        peers: [
          { source: { line: 7 }, publicKey: key('b'), endpoint: { ip: { text: 'fd18::12' }, port: 51821 } },
          { source: { line: 15 }, publicKey: key('c'), allowed: [] },
        ],
      },
      { source: { line: 18 }, name: 'wg1', fwmark: 0, peers: [] },
    ])
    expect(devices[0]?.peers[0]?.allowed.map(formatPrefix)).toEqual(['10.244.2.0/26', 'fd44:2::/122', '0.0.0.0/0'])
    const all = JSON.stringify(devices)
    expect(all.includes(key('S')) || all.includes(key('P'))).toBe(false)
  })

  test('no devices, keys cut out, a link-local endpoint', () => {
    expect(parseWireguard('', 'f')).toEqual([])
    const cut = 'interface: wg0\n  public key: (hidden)\n\npeer: (hidden)\n  endpoint: [fe80::1%eth0]:1\n  allowed ips: 10.0.0.0/8\n'
    const [device] = parseWireguard(cut, 'f')
    expect(device?.publicKey).toBeUndefined()
    expect(device?.peers[0]).toMatchObject({ endpoint: { ip: { text: 'fe80::1' }, port: 1, device: 'eth0' } })
    expect(device?.peers[0]?.publicKey).toBeUndefined()
  })

  test.each([
    ['cut in a line', PRINTED.slice(0, PRINTED.indexOf('allowed')), 10],
    ['cut between lines', PRINTED.slice(0, PRINTED.indexOf('  allowed')), 7],
    ['a peer without interface', `peer: ${key('b')}\n`, 1],
    ['a bad prefix', PRINTED.replace('10.244.2.0/26', '10.244.2.0/33'), 10],
    ['a bad endpoint', PRINTED.replace(':51821', ':99999'), 9],
    ['a bad port', PRINTED.replace('51820', '518200'), 4],
    ['a bad mark', PRINTED.replace('0x200000', '0x2000000000'), 5],
  ])('refuses %s', (_, text, line) => {
    try {
      parseWireguard(text, 'f')
    } catch (error) {
      expect(error).toBeInstanceOf(ParseError)
      expect((error as ParseError).line).toBe(line)
      return
    }
    throw new Error('accepted')
  })

  test.runIf(needs('captures'))('every recorded dump: a node has all others as peers', () => {
    const all = dumps('wg-show.txt')
    expect(all.length).toBeGreaterThan(0)
    for (const { file, text } of all) {
      const [device] = parseWireguard(text, file)
      expect(
        device?.peers.map((p) => [p.endpoint?.port, p.allowed.length]),
        file,
      ).toEqual([
        [51820, 3],
        [51820, 3],
      ])
    }
  })
})

describe('cryptokey routing', () => {
  const [device] = parseWireguard(PRINTED.replace('allowed ips: (none)', 'allowed ips: 10.244.2.5/32, fd44:2::5/128'), 'f')
  const peer = (address: string) => device && peerFor(device, ip(address))?.publicKey?.[0]
  test('the longest prefix of all peers decides', () => {
    expect(['10.244.2.4', '10.244.2.5', '1.1.1.1', 'fd44:2::5', 'fd44:2::6', 'fd44:3::1'].map(peer)).toEqual([
      'b',
      'c',
      'b',
      'c',
      'b',
      undefined,
    ])
  })
})

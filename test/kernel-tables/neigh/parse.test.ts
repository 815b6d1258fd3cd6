import { describe, expect, test } from 'vitest'
import { parseFdb, parseIpFdb, parseNeighbours } from '../../../src/kernel/neigh/parse.ts'
import { isUsable } from '../../../src/kernel/neigh/types.ts'
import { needs } from '../../support/needs.ts'
import { dumps } from '../dumps.ts'
import { refusesBadJson } from '../hostile.ts'

describe('parseNeighbours', () => {
  refusesBadJson(parseNeighbours)

  test('states, and which entry can be sent to', () => {
    const list = parseNeighbours(
      JSON.stringify([
        { dst: '169.254.1.1', dev: 'eth0', lladdr: 'EE:ee:ee:ee:ee:ee', state: ['STALE'] },
        { dst: 'fe80::1', dev: 'eth0', lladdr: 'ee:ee:ee:ee:ee:ee', router: null, state: ['REACHABLE'] },
        { dst: '10.0.0.9', dev: 'eth0', state: ['FAILED'] },
        { dst: '10.0.0.8', dev: 'eth0', lladdr: 'ee:ee:ee:ee:ee:ee', state: ['INCOMPLETE'] },
      ]),
      'f',
    )
    expect(list.map((n) => [n.ip.text, n.mac, isUsable(n), n.router])).toEqual([
      ['169.254.1.1', 'ee:ee:ee:ee:ee:ee', true, false],
      ['fe80::1', 'ee:ee:ee:ee:ee:ee', true, true],
      ['10.0.0.9', undefined, false, false],
      ['10.0.0.8', 'ee:ee:ee:ee:ee:ee', false, false],
    ])
  })

  test('routes are no neighbours', () => {
    expect(() => parseNeighbours('[{"dst":"10.0.0.1","dev":"eth0","flags":[]}]', 'f')).toThrow('`state`')
  })
})

describe('parseFdb', () => {
  refusesBadJson(parseFdb)

  test('a VTEP of Calico, one of Flannel with its own port and VNI', () => {
    const [calico, other] = parseFdb(
      JSON.stringify([
        { mac: '66:40:24:34:76:FC', ifname: 'vxlan.calico', dst: '172.18.0.12', flags: ['self'], state: 'permanent' },
        { mac: '00:00:00:00:00:00', ifname: 'vx', dst: 'fd18::1', vni: 5, port: 8472, flags: ['self'], state: '' },
      ]),
      'f',
    )
    expect(calico).toMatchObject({
      mac: '66:40:24:34:76:fc',
      device: 'vxlan.calico',
      remote: { text: '172.18.0.12' },
      state: 'permanent',
      flags: ['self'],
    })
    expect(other).toMatchObject({ vni: 5, port: 8472, remote: { family: 6 } })
  })
})

test.runIf(needs('captures'))('every recorded dump', () => {
  for (const { file, text } of dumps('ip-neigh.json')) parseNeighbours(text, file)
  for (const { file, text } of dumps('bridge-fdb.json')) expect(parseFdb(text, file).length, file).toBeGreaterThan(0)
})

describe('parseIpFdb', () => {
  refusesBadJson(parseIpFdb)

  // printed by iproute2 6.1.0 for `bridge fdb append 66:11:22:33:44:55 dev vx dst 172.18.0.12`, and a multicast address of a device
  test('as iproute2 prints it', () => {
    const text =
      '[{"dst":"172.18.0.12","dev":"vx","lladdr":"66:11:22:33:44:55","state":["NOARP","PERMANENT"]},{"dev":"d0","lladdr":"33:33:00:00:00:01","state":["PERMANENT"]}]'
    const [vtep, other] = parseIpFdb(text, 'f')
    expect(vtep).toMatchObject({ mac: '66:11:22:33:44:55', device: 'vx', remote: { text: '172.18.0.12' } })
    expect(other?.remote).toBeUndefined()
  })
})

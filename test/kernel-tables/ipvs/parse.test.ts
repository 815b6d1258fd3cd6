import { describe, expect, test } from 'vitest'
import { formatIpvsSave } from '../../../src/kernel/ipvs/format-save.ts'
import { joinListing, tableOfListing } from '../../../src/kernel/ipvs/join.ts'
import { parseIpvsConnections } from '../../../src/kernel/ipvs/parse-connections.ts'
import { parseIpvsListing, parseProcIpvs } from '../../../src/kernel/ipvs/parse-listing.ts'
import { parseIpvsSave } from '../../../src/kernel/ipvs/parse-save.ts'
import type { IpvsTable } from '../../../src/kernel/ipvs/types.ts'
import { ParseError } from '../../../src/kernel/source.ts'
import { ip } from '../../../src/net/ip.ts'
import { needs } from '../../support/needs.ts'
import { dumps } from '../dumps.ts'
import { refusesBadText } from '../hostile.ts'

const order = (table: IpvsTable) => table.services.map((s) => s.servers.map((r) => r.ip.text).join(' '))

test('a virtual server and its real servers as typed', () => {
  const { services } = parseIpvsSave(
    '-A -t 10.96.0.1:80 -s sh -p 600 -M 255.255.255.0 -b sh-fallback,sh-port\n-a -t 10.96.0.1:80 -r 10.0.0.1:8080 -m -w 3\n-a -t 10.96.0.1:80 -r 10.0.0.2:80 -g -w 0 -x 10 -y 5\n',
    'f',
  )
  expect(services).toMatchObject([
    {
      key: { kind: 'address', proto: 'tcp', ip: ip('10.96.0.1'), port: 80 },
      scheduler: 'sh',
      flags: ['sh-fallback', 'sh-port'],
      persistence: { timeout: 600, mask: { md: -256 } },
      onePacket: false,
      ordered: false,
      line: 1,
      servers: [
        { ip: ip('10.0.0.1'), port: 8080, method: 'masquerade', weight: 3, upper: 0, line: 2 },
        { ip: ip('10.0.0.2'), port: 80, method: 'route', weight: 0, upper: 10, lower: 5, line: 3 },
      ],
    },
  ])
})

// the forms of print_service_entry and print_tunnel_rule in ipvsadm 1.31
test.each([
  '',
  '-A -t 10.96.0.1:443 -s rr\n',
  '-A -u [fd00:10:96::a]:53 -s wlc\n-a -u [fd00:10:96::a]:53 -r [fd00::1]:53 -m -w 1\n',
  '-A --sctp-service 10.96.0.9:132 -s rr\n-a --sctp-service 10.96.0.9:132 -r 10.0.0.1:132 -m -w 1\n',
  '-A -f 7 -s rr -p 300\n-a -f 7 -r 10.0.0.1:0 -g -w 1\n',
  '-A -f -2147483648 -6 -s lc -p 300 -M 64\n-a -f -2147483648 -6 -r [fd00::1]:0 -i -w 100 --tun-type ipip\n',
  '-A -u 10.0.0.9:5060 -s rr -p 60 --pe sip -o\n',
  '-A -t 10.0.0.9:80 -s mh -b mh-fallback,mh-port\n-a -t 10.0.0.9:80 -r 10.0.0.1:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum\n-a -t 10.0.0.9:80 -r 10.0.0.2:80 -i -w 1 --tun-type gre --tun-csum\n-a -t 10.0.0.9:80 -r 10.0.0.3:80 -i -w 1\n',
])('prints back %j', (text) => expect(formatIpvsSave(parseIpvsSave(text, 'f'))).toBe(text))

test('a file for ipvsadm-restore, as people write it', () => {
  const text = '# web\n--add-service --tcp-service 10.0.0.9:80 --persistent\n\n-a -t 10.0.0.9:80 -r 10.0.0.1:80 --masquerading\n'
  expect(formatIpvsSave(parseIpvsSave(text, 'f'))).toBe('-A -t 10.0.0.9:80 -s wlc -p 360\n-a -t 10.0.0.9:80 -r 10.0.0.1:80 -m -w 1\n')
})

function problem(parse: () => unknown): string {
  try {
    parse()
    return 'no error'
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return `${error.line}: ${error.message}`
  }
}

test.each([
  ['-a -t 10.0.0.9:80 -r 10.0.0.1:80 -m -w 1\n', /^1: a real server of -t 10.0.0.9:80, which has no “-A/],
  ['-A -t 10.0.0.9:80 -s rr\n-A -t 10.0.0.9:80 -s rr\n', /^2: .*added twice/],
  ['-A -t 10.0.0.9:80 -s rr\n-a -t 10.0.0.9:80 -r 10.0.0.1:80 -m -w 1\n-a -t 10.0.0.9:80 -r 10.0.0.1:80 -m -w 2\n', /^3: .*twice/],
  ['-A -t kubernetes.default:https -s rr\n', /^1: expected ADDRESS:PORT in numbers \(ipvsadm-save -n\)/],
  ['-A -t 10.0.0.9:80 -s rr\n-a -t 10.0.0.9:80 -r [fd00::1]:80 -m -w 1\n', /^2: a real server of the other family/],
  ['-A -t 10.0.0.9:80 -s rr -p 60 -M 24.\n', /^1: expected a netmask/],
  ['-A -t 10.0.0.9:80 -s rr -M 255.0.0.0\n', /^1: a netmask \(-M\) without persistence/],
  ['-A -t 10.0.0.9:80 -s rr', /^1: the last line has no newline/],
  ['-A -t 10.0.0.9:80 -s rr\n-a -t 10.0.0.9:80 -r 10.0.0.1:80 -m -w x\n', /^2: expected a number after -w/],
  ['-A -t 10.0.0.9:80 -s rr\n-a -t 10.0.0.9:80 -r 10.0.0.1:80 -m -w\n', /^2: expected a number after -w/],
  ['-A -t 10.0.0.9:99999 -s rr\n', /^1: expected ADDRESS:PORT/],
  ['-A -f 0 -s rr\n', /^1: expected a firewall mark/],
  ['-C\n', /^1: expected “-A …” or “-a …”/],
  ['-A -t 10.0.0.9:80 -s rr --__proto__ x\n', /^1: an option of a virtual server/],
])('refuses %j', (text, message) => expect(problem(() => parseIpvsSave(text, 'f'))).toMatch(message))

describe('hostile text', () => {
  refusesBadText(parseIpvsSave)
  refusesBadText(parseIpvsListing)
  refusesBadText(parseProcIpvs)
  refusesBadText(parseIpvsConnections)
})

const proc =
  'IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n'

test('/proc/net/ip_vs: both families, marks, and the order of the kernel', () => {
  const text =
    proc +
    'TCP  0A600001:0050 sh  \n  -> 0A000002:1F90      Masq    1      3          4         \n  -> 0A000001:1F90      Masq    1      0          0         \n' +
    'TCP  [fd00:0010:0096:0000:0000:0000:0000:0001]:0050 rr persistent 2700000 00000080\n  -> [fd00:0000:0000:0000:0000:0000:0000:0002]:1F90      Masq    1      0          0         \n' +
    'FWM  0000000A rr \n  -> [fd00:0000:0000:0000:0000:0000:0000:0003]:0000      Route   2      0          0         \n'
  const { services, ordered } = parseProcIpvs(text, 'f')
  expect(ordered).toBe(true)
  expect(services.map((s) => s.key)).toEqual([
    { kind: 'address', proto: 'tcp', ip: ip('10.96.0.1'), port: 80 },
    { kind: 'address', proto: 'tcp', ip: ip('fd00:10:96::1'), port: 80 },
    { kind: 'mark', mark: 10, family: 6 },
  ])
  const saved = parseIpvsSave(
    '-A -f 10 -6 -s rr\n-a -f 10 -6 -r [fd00::3]:0 -g -w 2\n-A -t 10.96.0.1:80 -s sh\n-a -t 10.96.0.1:80 -r 10.0.0.1:8080 -m -w 1\n-a -t 10.96.0.1:80 -r 10.0.0.2:8080 -m -w 1\n',
    's',
  )
  const joined = joinListing(saved, parseProcIpvs(text, 'f'))
  expect(order(joined)).toEqual(['fd00::3', '10.0.0.2 10.0.0.1'])
  expect(joined.services.map((s) => s.ordered)).toEqual([true, true])
  expect(joined.services[1]?.servers[0]).toMatchObject({ line: 5, connections: { active: 3, inactive: 4 } })
})

test('a virtual server that was cut off keeps the order of the save file, unordered', () => {
  const cut = `${proc}TCP  0A600001:0050 sh  \n  -> 0A000002:1F90      Masq    1      3          4         \n`
  const saved = parseIpvsSave(
    '-A -t 10.96.0.1:80 -s sh\n-a -t 10.96.0.1:80 -r 10.0.0.1:8080 -m -w 1\n-a -t 10.96.0.1:80 -r 10.0.0.2:8080 -m -w 1\n',
    's',
  )
  const joined = joinListing(saved, parseProcIpvs(cut, 'f'))
  expect({ order: order(joined), ordered: joined.services[0]?.ordered }).toEqual({ order: ['10.0.0.1 10.0.0.2'], ordered: false })
})

const listing =
  'IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n'
const rows = (...servers: string[]) => servers.map((s) => `  -> ${s.padEnd(28)} Masq    1      0          0         \n`).join('')

test('ipvsadm -Ln is in the kernel’s order only if it is not sorted; the tool sorts by signed differences', () => {
  const sorted = `${listing}TCP  10.96.0.1:80 rr\n${rows('172.18.0.2:80', '10.0.0.1:80')}`
  const unsorted = `${listing}TCP  10.96.0.1:80 rr\n${rows('10.0.0.2:80', '10.0.0.1:80')}`
  expect([parseIpvsListing(sorted, 'f').ordered, parseIpvsListing(unsorted, 'f').ordered]).toEqual([false, true])
})

test('a table from ipvsadm -Ln alone; with --stats it has no schedulers', () => {
  const text = `${listing}TCP  10.96.0.1:80 mh (mh-port) persistent 600 mask 255.255.0.0\n${rows('10.0.0.1:80')}FWM  5 IPv6 rr ops\n${rows('[fd00::1]:0')}`
  const table = tableOfListing(parseIpvsListing(text, 'f'))
  expect(formatIpvsSave(table as IpvsTable)).toBe(
    '-A -t 10.96.0.1:80 -s mh -p 600 -M 255.255.0.0 -b mh-port\n-a -t 10.96.0.1:80 -r 10.0.0.1:80 -m -w 1\n-A -f 5 -6 -s rr -o\n-a -f 5 -6 -r [fd00::1]:0 -m -w 1\n',
  )
  const stats =
    'IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n  -> RemoteAddress:Port\nTCP  10.96.0.1:80                      12K        0        0        0        0\n  -> 10.0.0.1:80                     12K        7        0        0        0\n'
  const read = parseIpvsListing(stats, 'f')
  expect(tableOfListing(read)).toBeUndefined()
  expect(Object.fromEntries(read.services[0]?.servers[0]?.columns ?? [])).toMatchObject({ Conns: 12000, InPkts: 7 })
})

test('connections and templates', () => {
  const text =
    'IPVS connection entries\npro expire state       source             virtual            destination\nTCP 14:59  ESTABLISHED [fd00::9]:40000    [fd00:10:96::1]:80 [fd00::1]:8080\nTCP 176:01 ASSURED     10.0.0.9:0         10.96.0.1:80       10.0.0.1:8080\nIP  00:05  NONE        10.0.0.9:0         0.0.0.7:0          10.0.0.1:0\n'
  expect(parseIpvsConnections(text, 'f')).toMatchObject([
    { proto: 'tcp', expires: 899, state: 'ESTABLISHED', client: { ip: ip('fd00::9'), port: 40000 }, source: { file: 'f', line: 3 } },
    { proto: 'tcp', expires: 10561, client: { port: 0 }, destination: { ip: ip('10.0.0.1'), port: 8080 } },
    { proto: 'ip', virtual: { ip: ip('0.0.0.7'), port: 0 } },
  ])
  expect(problem(() => parseIpvsConnections(text.slice(0, -20), 'f'))).toMatch(/^5: the last line/)
  expect(problem(() => parseIpvsConnections(text.replace('14:59', 'x'), 'f'))).toMatch(/^3: expected a line of ipvsadm -Lnc/)
})

describe.runIf(needs('captures'))('recorded tables', () => {
  const saved = dumps('ipvsadm-save.txt')
  test('there are some', () => expect(saved.length).toBeGreaterThanOrEqual(15))
  test.each(saved)('$file prints back', ({ text, file }) => expect(formatIpvsSave(parseIpvsSave(text, file)) === text).toBe(true))
  test.each(dumps('ipvsadm.txt'))('$file is the same table', ({ text, file }) => {
    const other = saved.find((s) => s.file === file.replace('ipvsadm.txt', 'ipvsadm-save.txt'))
    expect(formatIpvsSave(tableOfListing(parseIpvsListing(text, file)) as IpvsTable)).toBe(other?.text)
  })
  test.each(['ipvsadm-stats.txt', 'ipvsadm-persistent.txt'])('%s', (name) => {
    for (const { text, file } of dumps(name)) expect(parseIpvsListing(text, file).services.length).toBeGreaterThan(10)
  })
  test.each(dumps('proc-ip_vs.txt'))('$file orders what it shows', ({ text, file }) => {
    const other = saved.find((s) => s.file === file.replace('proc-ip_vs.txt', 'ipvsadm-save.txt')) as { text: string }
    const { services } = joinListing(parseIpvsSave(other.text, 'save'), parseProcIpvs(text, file))
    // one read of the file: 4 KiB
    expect(services.filter((s) => s.ordered).length).toBe(parseProcIpvs(text, file).services.length)
  })
})

import { describe, expect, test } from 'vitest'
import { parseSockets } from '../../../src/kernel/socket/parse.ts'
import { refusesBadText } from '../hostile.ts'

// as ss of iproute2 6.1 printed sockets made for the purpose
const PRINTED = `udp UNCONN 0      0                       *:83       *:*
udp UNCONN 0      0                    [::]:84    [::]:*
tcp LISTEN 0      128          127.0.0.1%lo:85 0.0.0.0:*
tcp LISTEN 0      128               0.0.0.0:80 0.0.0.0:*
tcp LISTEN 0      128    [::ffff:127.0.0.1]:86       *:*
tcp LISTEN 0      128              [::1]%lo:88    [::]:*
tcp LISTEN 0      128                  *%lo:87       *:*
tcp LISTEN 0      128                  [::]:82    [::]:* users:(("x y",pid=1,fd=3))
sctp LISTEN 0     128               0.0.0.0:90 0.0.0.0:*
`

describe('parseSockets', () => {
  refusesBadText(parseSockets)

  test('addresses, families and devices', () => {
    expect(parseSockets(PRINTED, 'f').map((l) => [l.proto, l.ip?.text, l.families, l.device, l.port])).toEqual([
      ['udp', undefined, [4, 6], undefined, 83],
      // ss prints [::] for sockets that serve IPv6 only
      ['udp', undefined, [6], undefined, 84],
      ['tcp', '127.0.0.1', [4], 'lo', 85],
      ['tcp', undefined, [4], undefined, 80],
      ['tcp', '127.0.0.1', [4], undefined, 86],
      ['tcp', '::1', [6], 'lo', 88],
      ['tcp', undefined, [4, 6], 'lo', 87],
      ['tcp', undefined, [6], undefined, 82],
      ['sctp', undefined, [4], undefined, 90],
    ])
  })

  test('nobody listens; the heading; what is no listener', () => {
    expect(parseSockets('', 'f')).toEqual([])
    expect(
      parseSockets(
        'Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port Process\ntcp ESTAB 0 0 10.0.0.1:22 10.0.0.2:5000\nu_str LISTEN 0 5 /run/x 123 * 0\n',
        'f',
      ),
    ).toEqual([])
  })

  test.each([
    ['tcp LISTEN 0 128 0.0.0.0:http 0.0.0.0:*', 'port in digits'],
    ['tcp LISTEN 0 128 300.0.0.0:80 0.0.0.0:*', 'is not an address'],
    ['tcp LISTEN 0 128 0.0.0.0:70000 0.0.0.0:*', 'port in digits'],
    ['LISTEN 0 128 0.0.0.0:80 0.0.0.0:*', 'not a socket'],
    ['quic LISTEN 0 128 0.0.0.0:80 0.0.0.0:*', 'unknown kind of socket'],
  ])('refuses %s', (line, message) => {
    expect(() => parseSockets(`\n${line}`, 'f')).toThrow(message)
  })
})

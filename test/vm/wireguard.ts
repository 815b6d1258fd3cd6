/** Cases of WireGuard as Felix has it: a table of its own for what is not marked, the device's packets marked. */
import type { Setup, VmCase } from './lab.ts'

interface Peer {
  /** whose key; default the far node's */
  readonly key?: string
  /** default the far node's */
  readonly endpoint?: string
  /** default the far node's pods and tunnel address */
  readonly allowed?: string
}

interface Options {
  readonly peers?: readonly Peer[]
  readonly port?: number
  readonly key?: string
  readonly fwmark?: string
  readonly rules?: string
  readonly sh?: string
}

/** Keys are 32 characters, made where they are used. */
export function wireguard(n: 1 | 2, far: 1 | 2, options: Options = {}): Setup {
  const { peers = [{}], port = 51820, key = `n${n}`, fwmark = '0x200000' } = options
  const peerArgs = peers.map(
    (p) =>
      `peer $(key ${p.key ?? `n${far}`} | wg pubkey) allowed-ips ${p.allowed ?? `$pods${far}`} ` +
      (p.endpoint === '' ? '' : `endpoint ${p.endpoint ?? `$n${far}:51820`}`),
  )
  return {
    ip: `link add wg0 type wireguard
      addr add $vtep${n}/{32|128} dev wg0
      link set wg0 up
      route add throw $pods${n} table 1
      route add $pods${far} dev wg0 table 1`,
    sh: `ip {|-6} rule add pref 99 not fwmark 0x200000/0x200000 table 1
      key() ( printf %-32s "$1" | base64 )
      key ${key} | wg set wg0 private-key /dev/stdin listen-port ${port} fwmark ${fwmark} ${peerArgs.join(' ')}
      ${options.sh ?? ''}`,
    ...(options.rules !== undefined && { rules: options.rules }),
  }
}

const wg = (
  name: string,
  n1: Options | Setup | undefined,
  n2: Options | undefined,
  flows: string,
  families?: readonly (4 | 6)[],
): VmCase => ({
  name: `WireGuard: ${name}`,
  setup: { n1: wireguard(1, 2, n1), ...(n2 && { n2: wireguard(2, 1, n2) }) },
  flows,
  ...(families && { families }),
})

export const wireguardCases: readonly VmCase[] = [
  wg(
    'through the tunnel, from the pod and from the node',
    {},
    {},
    `p1 tcp $p2:80 = p2 $p2:80 < $p1
    p2 udp $p1:53 = p1 $p1:53 < $p2
    n1 tcp $p2:80 = p2 $p2:80 < $vtep1
    p1 udp $p2:99 = icmp 3/3 $p2`,
  ),
  wg(
    'the outer packet has the mark of the device, the inner one none',
    { rules: 'mangle -A FORWARD -j MARK --set-xmark 0x40/0x40' },
    { rules: 'raw -A PREROUTING -i wg0 -m mark ! --mark 0x0 -j DROP' },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1',
  ),
  wg(
    'the outer packet meets the rules of its own node',
    { rules: 'filter -A OUTPUT -p udp -m udp --sport 51820 --dport 51820 -m mark --mark 0x200000/0x200000 -j DROP' },
    {},
    'p1 tcp $p2:80 = dropped\nn1 tcp $n2:80 = n2 $n2:80 < $n1',
  ),
  wg(
    'the outer packet meets the rules of the far node',
    {},
    { rules: 'filter -A INPUT -p udp -m udp --dport 51820 -s $n1 -j DROP' },
    'p1 tcp $p2:80 = dropped\nn1 tcp $n2:80 = n2 $n2:80 < $n1',
  ),
  wg(
    'nobody may have the address: the sender hears of it',
    { peers: [{ allowed: '$p4' }] },
    {},
    // the address by the route back, which for IPv6 is chosen by its prefix
    'p1 tcp $p2:80 = icmp 3/1 {$n1|$vtep1}\nn1 udp $p2:53 = icmp 3/1 $vtep1\np1 tcp $p4:80 = p4 $p4:80 < $p1',
  ),
  wg(
    'a masqueraded sender hears of it, too',
    { peers: [{ allowed: '$p4' }], rules: 'nat -A POSTROUTING -o wg0 -j MASQUERADE' },
    {},
    'p1 tcp $p2:80 = icmp 3/1 {$n1|$vtep1}',
  ),
  wg('no peers', { peers: [] }, {}, 'p1 tcp $p2:80 = icmp 3/1 {$n1|$vtep1}'),
  wg('no endpoint', { peers: [{ endpoint: '' }] }, {}, 'p1 tcp $p2:80 = icmp 3/1 {$n1|$vtep1}'),
  wg('a peer without endpoint is answered where it was heard from', {}, { peers: [{ endpoint: '' }] }, 'p1 tcp $p2:80 = p2 $p2:80 < $p1'),
  wg(
    'a source that the peer may not have is dropped',
    {},
    { peers: [{ allowed: '$p3' }] },
    'p1 tcp $p2:80 = dropped\np3 tcp $p2:80 = p2 $p2:80 < $p3',
  ),
  wg(
    'the longest allowed prefix chooses the peer',
    { peers: [{}, { key: 'nobody', endpoint: '$n2b:51820', allowed: '$p2' }] },
    {},
    'p1 tcp $p2:80 = dropped\np1 tcp $p4:80 = p4 $p4:80 < $p1',
  ),
  wg('the far end does not know this one', {}, { peers: [{ key: 'other' }] }, 'p1 tcp $p2:80 = dropped'),
  wg('the far end has another key by now', {}, { key: 'new' }, 'p1 tcp $p2:80 = dropped'),
  wg('the far end listens elsewhere', {}, { port: 51821 }, 'p1 tcp $p2:80 = dropped'),
  wg('the far device is down', {}, { sh: 'ip link set wg0 down' }, 'p1 tcp $p2:80 = dropped'),
  // the way there is the ordinary one, the way back the tunnel
  wg('the near device is down', { sh: 'ip link set wg0 down' }, {}, 'p1 tcp $p2:80 = dropped'),
  wg('no device at the far end', {}, undefined, 'p1 tcp $p2:80 = dropped'),
  wg(
    'without the mark, its packets come back to it',
    { fwmark: '0', sh: 'ip {|-6} route add $lan dev wg0 table 1' },
    {},
    'p1 tcp $p2:80 = dropped',
  ),
]

/**
 * A question some time after its dumps were taken: what had five seconds to live then. The node's reading took two seconds, so that the moment of each
 * dump is not known more exactly.
 */
import { describe, expect, test } from 'vitest'
import { traceFlow } from '../../src/trace/trace.ts'
import { flowOf, forFamily, nftText, parseFlows } from '../support/netns-case.ts'
import { link, type Made, make } from '../support/snapshot-builder.ts'

const second = 1000
const read = new Map([['node/n1', { from: 0, to: 2 * second }]])

/** What p1 gets from the Service: the ports of the answers, or the verdict. `at`: seconds after the reading began. */
function asked(made: Made, at: number, to = at): string {
  const snapshot = make(made)
  const [line] = parseFlows(forFamily('p1 tcp $svc:80 = ok', 4))
  const moments = { read, asked: { from: at * second, to: to * second } }
  const { outcomes } = traceFlow({ ...snapshot, moments }, flowOf(line as NonNullable<typeof line>), {})
  return outcomes.map(({ verdict, port }) => (verdict === 'delivered' ? port : verdict)).join(' ')
}

const recent: Made = {
  rules: {
    n1: `nat -A PREROUTING -d 10.96.0.1 -p tcp -m recent --rcheck --seconds 10 --reap --name SEP --rsource -j DNAT --to-destination 10.244.2.2:81
    nat -A PREROUTING -d 10.96.0.1 -p tcp -j DNAT --to-destination 10.244.2.2:80`,
  },
  files: {
    'nodes/n1/xt_recent.txt': '==> /proc/net/xt_recent/SEP <==\nsrc=10.244.1.2 ttl: 63 last_seen: 4299998750 oldest_pkt: 1 4299998750\n',
    // 5 s and 1250 jiffies later; 2^32 − 75000 at the machine's start
    'nodes/n1/jiffies.txt': `now at ${(4300000000 - 4294892296) * 4}000000 nsecs\njiffies: 4300000000\n`,
  },
}

const nft: Made = {
  files: {
    'nodes/n1/nft.txt': nftText(
      `table ip t {\n\tset stuck {\n\t\ttype ipv4_addr\n\t\tsize 65535\n\t\tflags dynamic,timeout\n\t\ttimeout 10s\n\t\telements = { 10.244.1.2 expires 5s }\n\t}\n\n\tchain pre {\n\t\ttype nat hook prerouting priority dstnat; policy accept;\n\t\tip daddr 10.96.0.1 ip saddr @stuck dnat to 10.244.2.2:81\n\t\tip daddr 10.96.0.1 meta l4proto tcp dnat to 10.244.2.2:80\n\t}\n}\n`,
      4,
    ),
  },
}

const ipvs = (more = ''): Made => ({
  links: { n1: [link(90, 'kube-ipvs0', 'dummy', ['10.96.0.1/32'], { flags: ['BROADCAST', 'NOARP'], operstate: 'DOWN' })] },
  files: {
    'nodes/n1/ipvsadm-save.txt':
      '-A -t 10.96.0.1:80 -s rr -p 10\n-a -t 10.96.0.1:80 -r 10.244.2.2:80 -m -w 0\n-a -t 10.96.0.1:80 -r 10.244.2.2:81 -m -w 1\n',
    // a server without weight keeps its clients
    'nodes/n1/sysctl-vs.txt': 'net.ipv4.vs.conntrack = 1\nnet.ipv4.vs.expire_quiescent_template = 0\n',
    'nodes/n1/ipvsadm-conn.txt': `IPVS connection entries\npro expire state source virtual destination\nTCP 00:05 ASSURED 10.244.1.2:0 10.96.0.1:80 10.244.2.2:80\n${more}`,
  },
})

describe.each([
  ['iptables: -m recent', recent, '81', '80'],
  ['nft: a set with a timeout', nft, '81', '80'],
  ['IPVS: a template', ipvs(), '80', '81'],
])('%s', (_, made, young, old) => {
  test.each([
    [0, young],
    [4, young],
    // between two and six seconds have passed
    [6, 'undecided'],
    [8, old],
    [100, old],
  ])('asked after %d s: %s', (at, expected) => expect(asked(made, at)).toBe(expected))

  test('a moment that is known roughly', () => {
    expect(asked(made, 1, 4)).toBe(young)
    expect(asked(made, 4, 9)).toBe('undecided')
    expect(asked(made, 9, 20)).toBe(old)
  })
})

test('a template with connections is kept for longer', () => {
  const used = ipvs('TCP 14:50 ESTABLISHED 10.244.1.2:40000 10.96.0.1:80 10.244.2.2:80\n')
  expect([4, 8].map((at) => asked(used, at))).toEqual(['80', 'undecided'])
  const others = ipvs('TCP 14:50 ESTABLISHED 10.244.1.3:40000 10.96.0.1:80 10.244.2.2:80\n')
  expect(asked(others, 8)).toBe('81')
})

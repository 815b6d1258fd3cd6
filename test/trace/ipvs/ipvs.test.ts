/**
 * IPVS where the emulated kernel of test/vm can't ask: what dumps tell of the past (templates, connections, order), what they lack, and what is
 * shown. The way of packets through the hooks is held against that kernel in test/vm/ipvs*.ts.
 */
import { describe, expect, test } from 'vitest'
import { traceFlow } from '../../../src/trace/trace.ts'
import { touchAll } from '../../snapshot/damage.ts'
import { forFamily } from '../../support/netns-case.ts'
import { link, type Made, make, walk } from '../../support/snapshot-builder.ts'

const device = link(90, 'kube-ipvs0', 'dummy', ['10.96.0.1/32', '10.96.0.2/32', 'fd96::1/128', 'fd96::2/128'], {
  flags: ['BROADCAST', 'NOARP'],
  operstate: 'DOWN',
})

const settings = (more: Readonly<Record<string, number>> = {}): string =>
  Object.entries({ conntrack: 1, expire_nodest_conn: 1, expire_quiescent_template: 1, ...more })
    .map(([k, v]) => `net.ipv4.vs.${k} = ${v}\n`)
    .join('')

/** Two servers, p1 (on the node itself) and p2 (beyond n2). */
const two = (head: string, more = ''): string =>
  `-A ${head}\n${['$p1:80', '$p2:80']
    .map(
      (s) =>
        `-a ${head
          .split(' ')
          .slice(0, head.includes(' -6') ? 3 : 2)
          .join(' ')} -r ${s} -m -w 1\n`,
    )
    .join('')}${more}`

interface Ipvs {
  readonly save?: string
  readonly files?: Readonly<Record<string, string | false>>
  readonly vs?: Readonly<Record<string, number>>
  readonly rules?: string
}

function made({ save = two('-t $svc:80 -s rr'), files = {}, vs, rules }: Ipvs, family: 4 | 6 = 4): Made {
  const all: Record<string, string | false> = {
    'nodes/n1/ipvsadm-save.txt': forFamily(save, family),
    'nodes/n1/sysctl-vs.txt': settings(vs),
  }
  for (const [name, text] of Object.entries(files)) all[`nodes/n1/${name}`] = text === false ? false : forFamily(text, family)
  return { links: { n1: [device] }, files: all, ...(rules !== undefined && { rules: { n1: rules } }) }
}

const connections = (...rows: readonly string[]): string =>
  [
    'IPVS connection entries',
    'pro expire state       source             virtual            destination',
    ...rows.map((r) => r.replaceAll(/ +/g, ' ')),
  ].join('\n') + '\n'

/** Both families; `flows` as in netns-case.ts. */
function holds(ipvs: Ipvs, flows: string): void {
  for (const family of [4, 6] as const) {
    const { got, want } = walk(made(ipvs, family), flows, family)
    expect(got).toEqual(want)
  }
}

describe('persistence', () => {
  const persistent = { save: two('-t $svc:80 -s rr -p 600', two('-t $svc:81 -s rr')) }

  test('without a dump of connections a client may stick to any server', () =>
    holds(persistent, 'p3 tcp $svc:80 = 0.5 p1 $p1:80 < $p3 | 0.5 p2 $p2:80 < $p3'))

  test('the template of a client decides; others are scheduled', () =>
    holds(
      { ...persistent, files: { 'ipvsadm-conn.txt': connections('TCP 09:00 ASSURED $p3:0 $svc:80 $p2:80') } },
      `p3 tcp $svc:80 = p2 $p2:80 < $p3
       p3 tcp $svc:81 = 0.5 p1 $p1:80 < $p3 | 0.5 p2 $p2:80 < $p3
       n1 tcp $svc:80 = 0.5 p1 $p1:80 < $svc | 0.5 dropped`,
    ))

  test('templates are of a network where the service has a mask', () =>
    holds(
      {
        save: two('-t $svc:80 -s rr -p 600 -M {255.255.255.0|64}'),
        files: { 'ipvsadm-conn.txt': connections('TCP 09:00 ASSURED {10.244.1.0:0|[fd44:1::]:0} $svc:80 $p2:80') },
      },
      'p3 tcp $svc:80 = p2 $p2:80 < $p3',
    ))

  test('a template whose server is gone, or drained, is void', () => {
    const gone = { 'ipvsadm-conn.txt': connections('TCP 09:00 ASSURED $p3:0 $svc:80 {10.244.9.9:80|[fd44:9::9]:80}') }
    holds({ ...persistent, files: gone }, 'p3 tcp $svc:80 = 0.5 p1 $p1:80 < $p3 | 0.5 p2 $p2:80 < $p3')
    const drained = {
      save: persistent.save.replace('-r $p2:80 -m -w 1', '-r $p2:80 -m -w 0'),
      files: { 'ipvsadm-conn.txt': connections('TCP 09:00 ASSURED $p3:0 $svc:80 $p2:80') },
    }
    holds(drained, 'p3 tcp $svc:80 = p1 $p1:80 < $p3')
    // net.ipv4.vs.expire_quiescent_template: the client keeps its drained server without it
    holds({ ...drained, vs: { expire_quiescent_template: 0 } }, 'p3 tcp $svc:80 = p2 $p2:80 < $p3')
  })

  test('by firewall mark: protocol IP, and the mark as address', () =>
    holds(
      {
        save: `-A -f 7{| -6} -s rr -p 600\n-a -f 7{| -6} -r $p1:0 -m -w 1\n-a -f 7{| -6} -r $p2:0 -m -w 1\n`,
        rules: 'mangle -A PREROUTING -d $svc -j MARK --set-xmark 0x7/0x7',
        files: { 'ipvsadm-conn.txt': connections('IP 09:00 NONE $p3:0 {0.0.0.7:0|[0:7::]:0} $p2:0') },
      },
      'p3 tcp $svc:81 = p2 $p2:81 < $p3',
    ))
})

describe('what is not dumped', () => {
  test('the table: an address on a dummy device is undecided, anything else is not', () => {
    const { got } = walk(
      made({ files: { 'ipvsadm-save.txt': false } }),
      'p3 tcp $svc:80 = undecided\np3 tcp $p2:80 = ok\np3 icmp $svc = ok',
    )
    expect(got).toEqual(['p3 tcp 10.96.0.1:80 = undecided', 'p3 tcp 10.244.2.2:80 = ok', 'p3 icmp 10.96.0.1 = ok'])
  })

  // a cache of DNS on the node has such a device, too
  test('nor is one on a dummy device that is not kube-proxy’s', () => {
    const m = { ...made({ files: { 'ipvsadm-save.txt': false } }), links: { n1: [{ ...device, ifname: 'nodelocaldns' }] } }
    expect(walk(m, 'p3 tcp $svc:80 = n1').got).toEqual(['p3 tcp 10.96.0.1:80 = n1 10.96.0.1:80 < 10.244.1.3'])
  })

  test('ipvsadm -Ln will do for the table', () =>
    holds(
      {
        files: {
          'ipvsadm-save.txt': false,
          'ipvsadm.txt':
            'IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\nTCP  $svc:80 rr\n  -> $p2:80 Masq    1      0          0         \n',
        },
      },
      'p3 tcp $svc:80 = p2 $p2:80 < $p3',
    ))

  test('the settings are kube-proxy’s where its device is, and said to be', () => {
    const snapshot = make(made({ files: { 'sysctl-vs.txt': false } }))
    const { assumptions, outcomes } = traceFlow(snapshot, { from: { kind: 'pod', name: 't/p3' }, proto: 'tcp', dst: '10.96.0.1', port: 80 })
    expect(outcomes.map((o) => o.verdict)).toEqual(['delivered', 'delivered'])
    expect(assumptions).toContain('n1: net.ipv4.vs.* are as kube-proxy sets them')
  })

  test('and undecided elsewhere', () => {
    const other = { ...device, ifname: 'dummy0' }
    const m = { ...made({ files: { 'sysctl-vs.txt': false } }), links: { n1: [other] } }
    expect(walk(m, 'p3 tcp $svc:80 = undecided').got).toEqual(['p3 tcp 10.96.0.1:80 = undecided'])
  })

  test('the order of servers: sh may pick any, dh too; with /proc/net/ip_vs it is certain', () => {
    holds({ save: two('-t $svc:80 -s sh') }, 'p3 tcp $svc:80 = 0.5 p1 $p1:80 < $p3 | 0.5 p2 $p2:80 < $p3')
    // 10.244.1.3 is in bucket 175, fd44:1::3 in 153: the second of two
    const proc = (first: string, second: string) =>
      `IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\nTCP  {0A600001|[fd96:0000:0000:0000:0000:0000:0000:0001]}:0050 sh  \n${[first, second].map((s) => `  -> ${s}:0050      Masq    1      0          0         \n`).join('')}`
    const p1 = '{0AF40102|[fd44:0001:0000:0000:0000:0000:0000:0002]}'
    const p2 = '{0AF40202|[fd44:0002:0000:0000:0000:0000:0000:0002]}'
    holds({ save: two('-t $svc:80 -s sh'), files: { 'proc-ip_vs.txt': proc(p1, p2) } }, 'p3 tcp $svc:80 = p2 $p2:80 < $p3')
    holds({ save: two('-t $svc:80 -s sh'), files: { 'proc-ip_vs.txt': proc(p2, p1) } }, 'p3 tcp $svc:80 = p1 $p1:80 < $p3')
  })

  test('an unknown scheduler is undecided', () => {
    const { got } = walk(made({ save: two('-t $svc:80 -s future') }), 'p3 tcp $svc:80 = undecided')
    expect(got).toEqual(['p3 tcp 10.96.0.1:80 = undecided'])
  })
})

test('shares of the scheduler', () =>
  holds(
    { save: '-A -t $svc:80 -s wrr\n-a -t $svc:80 -r $p1:80 -m -w 3\n-a -t $svc:80 -r $p2:80 -m -w 1\n' },
    'p3 tcp $svc:80 = 0.75 p1 $p1:80 < $p3 | 0.25 p2 $p2:80 < $p3',
  ))

test('a table of the other family only leaves this one alone', () => {
  const other = made({ save: '-A -t [fd96::1]:80 -s rr\n' })
  expect(walk(other, 'p3 tcp $svc:80 = n1 $svc:80 < $p3').got).toEqual(['p3 tcp 10.96.0.1:80 = n1 10.96.0.1:80 < 10.244.1.3'])
})

test('a fragment of a table is refused with file and line', () =>
  expect(() => touchAll(make(made({ save: '-A -t 10.96.0.1:80 -s rr\n-a -t 10.96.0.1:80 -r 10.2' })))).toThrow(/newline/))

describe('what is shown', () => {
  const trace = (ipvs: Ipvs) =>
    traceFlow(make(made(ipvs)), { from: { kind: 'pod', name: 't/p3' }, proto: 'tcp', dst: '10.96.0.1', port: 80 })

  test('the lines of the virtual server and of the real server, whose they are, and the choice', () => {
    const [path] = trace({}).paths
    const steps = path?.hops.filter((h) => h.stage === 'ipvs')
    expect(steps).toMatchObject([
      {
        node: 'n1',
        owner: 'kube-proxy',
        where: 'virtual server',
        action: 'tcp 10.96.0.1:80 by rr',
        evidence: { file: 'nodes/n1/ipvsadm-save.txt', line: 1, text: '-A -t 10.96.0.1:80 -s rr' },
      },
      {
        owner: 'kube-proxy',
        where: 'real server',
        action: 'DNAT to 10.244.1.2:80',
        weight: 'changes',
        packet: '10.244.1.3:* → 10.244.1.2:80 tcp',
        choice: { probability: 0.5, what: 'IPVS rr of -t 10.96.0.1:80 on n1' },
        evidence: { line: 2, text: '-a -t 10.96.0.1:80 -r 10.244.1.2:80 -m -w 1' },
      },
    ])
    expect(path?.reply?.hops.filter((h) => h.stage === 'ipvs')).toMatchObject([
      { node: 'n1', owner: 'kernel', action: 'from 10.96.0.1 again' },
    ])
  })

  test('a virtual server without real servers is to blame, by its line', () => {
    const [path] = trace({ save: '-A -t 10.96.0.1:80 -s rr\n' }).paths
    expect(path).toMatchObject({
      verdict: 'refused',
      cause: { node: 'n1', kind: 'endpoint', evidence: { file: 'nodes/n1/ipvsadm-save.txt', line: 1 } },
    })
  })
})

test('one of 10,000 virtual servers is that which is asked for', () => {
  const address = (i: number) => `10.97.${i >> 8}.${i & 255}`
  const lines = Array.from({ length: 10_000 }, (_, i) =>
    ['10.244.1.2', '10.244.2.2'].reduce(
      (text, s) => `${text}-a -t ${address(i)}:80 -r ${s}:80 -m -w 1\n`,
      `-A -t ${address(i)}:80 -s rr\n`,
    ),
  )
  const snapshot = make(made({ save: `${lines.join('')}${forFamily(two('-t $svc:80 -s rr'), 4)}` }))
  const flow = { from: { kind: 'pod', name: 't/p3' }, proto: 'tcp', dst: '10.96.0.1', port: 80 } as const
  const { outcomes, paths } = traceFlow(snapshot, flow)
  expect(outcomes.map(({ verdict, endpoint }) => [verdict, endpoint]).sort()).toEqual([
    ['delivered', 'pod/t/p1'],
    ['delivered', 'pod/t/p2'],
  ])
  const lastServer = lines.length * 3
  const servers = paths.map(({ hops }) => hops.find((hop) => hop.where === 'real server')?.evidence?.line)
  expect(servers.sort()).toEqual([lastServer + 2, lastServer + 3])
})

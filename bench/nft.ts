/**
 * Nodes with kube-proxy in nftables mode. 2,000 Services as recorded: reading them and one trace, held against `nft -c -f` reading the same
 * tables. 10,000 Services in the shape of kube-proxy up to 1.35 (a chain an endpoint), made here and loaded into a namespace: held against
 * the time that `nft -j list ruleset` takes to print them. Needs root.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { capture, inScratch, netctl, peakMemory, race, report } from './measure.ts'

const ownNamespace = ['unshare', '-n']
const services = 10_000
const endpoints = 3

function recorded(folder: string, scratch: string): void {
  const rules = join(scratch, 'native.nft')
  const flow = join(scratch, 'flow.jsonl')
  const text = gunzipSync(readFileSync(join(folder, 'nodes/n1/nft.txt.gz'))).toString()
  // tables of iptables-nft are not nft's to read back
  writeFileSync(
    rules,
    text
      .split(/^(?=table )/m)
      .filter((table) => /^table \S+ (kube-proxy|calico)/.test(table))
      .join(''),
  )
  writeFileSync(flow, readFileSync(join(folder, 'truth.jsonl'), 'utf8').split('\n', 1).join('\n'))
  const trace = [...netctl, 'trace', '--flows', flow, '--snapshot', folder, '-o', 'jsonl']
  const times = race(
    [
      { name: 'peer', argv: ['nft', '-c', '-f', rules], within: ownNamespace },
      { name: 'netctl', argv: trace },
    ],
    5,
  )
  const [peer = Number.NaN, own = Number.NaN] = [times.get('peer'), times.get('netctl')]
  report('nft -c -f, 2,000 Services', `${peer.toFixed(2)} s`)
  report('netctl: load and one trace', `${own.toFixed(2)} s`, `${(own / peer).toFixed(2)} × nft (at most 3)`)
  report('netctl: peak memory', `${peakMemory(trace).toFixed(0)} MB`, 'at most 400')
}

const address = (base: number, i: number): string => `${base}.${100 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`

/** `service-X` and `endpoint-X__IP/PORT` as kube-proxy names them, but for the hash. */
const serviceName = (i: number): string => `AAAAAAAA-ns/svc-${i}/tcp/http`
const endpointName = (i: number, e: number): string => `AAAAAAAA-ns/svc-${i}/tcp/http__${address(10, i * endpoints + e)}/8080`

function ruleset(): string {
  const all = Array.from({ length: services }, (_, i) => i)
  const of = Array.from({ length: endpoints }, (_, e) => e)
  return `table ip kube-proxy {
  set cluster-ips { type ipv4_addr; elements = { ${all.map((i) => address(11, i)).join(', ')} }; }
  map service-ips {
    type ipv4_addr . inet_proto . inet_service : verdict
    elements = { ${all.map((i) => `${address(11, i)} . tcp . 80 : goto service-${serviceName(i)}`).join(', ')} }
  }
  chain mark-for-masquerade { meta mark set meta mark | 0x4000; }
  ${all
    .map(
      (i) => `chain service-${serviceName(i)} {
    ip daddr ${address(11, i)} tcp dport 80 ip saddr != 10.0.0.0/8 jump mark-for-masquerade
    numgen random mod ${endpoints} vmap { ${of.map((e) => `${e} : goto endpoint-${endpointName(i, e)}`).join(', ')} }
  }
  ${of
    .map(
      (e) => `chain endpoint-${endpointName(i, e)} {
    ip saddr ${address(10, i * endpoints + e)} jump mark-for-masquerade
    meta l4proto tcp dnat to ${address(10, i * endpoints + e)}:8080
  }`,
    )
    .join('\n  ')}`,
    )
    .join('\n  ')}
  chain services { ip daddr . meta l4proto . th dport vmap @service-ips; }
  chain nat-prerouting { type nat hook prerouting priority dstnat; jump services; }
  chain nat-output { type nat hook output priority -100; jump services; }
  chain nat-postrouting { type nat hook postrouting priority srcnat; meta mark & 0x4000 != 0 masquerade fully-random; }
}
`
}

function generated(folder: string, scratch: string): void {
  const rules = join(scratch, 'rules.nft')
  const cluster = join(scratch, 'cluster')
  const node = join(cluster, 'nodes/n1')
  const flow = join(scratch, 'flow.jsonl')
  writeFileSync(rules, ruleset())
  cpSync(folder, cluster, { recursive: true })
  for (const file of ['nft.txt.gz', 'nft.json.gz']) rmSync(join(node, file))
  const first = JSON.parse(readFileSync(join(folder, 'truth.jsonl'), 'utf8').split('\n', 1).join(''))
  writeFileSync(flow, JSON.stringify({ ...first, dst: address(11, services - 1), port: 80 }))
  const [json, text] = [join(node, 'nft.json'), join(node, 'nft.txt')]
  const peer = race(
    [
      {
        name: 'peer',
        argv: ['nft', '-j', 'list', 'ruleset'],
        output: json,
        within: ownNamespace,
        prepare: `nft -f '${rules}' && nft list ruleset >'${text}' || exit`,
      },
    ],
    2,
  ).get('peer') as number
  const trace = [...netctl, 'trace', '--flows', flow, '--snapshot', cluster, '-o', 'jsonl']
  const both = race([{ name: 'netctl', argv: trace }], 3).get('netctl') as number
  report(`nft -j list ruleset, ${services.toLocaleString('en')} Services`, `${peer.toFixed(2)} s`)
  report('netctl: load and one trace', `${both.toFixed(2)} s`, `${(both / peer).toFixed(2)} × nft (at most 0.33)`)
  report('netctl: peak memory', `${peakMemory(trace).toFixed(0)} MB`)
  rmSync(text)
  const alone = race([{ name: 'netctl', argv: trace }], 3).get('netctl') as number
  report('… with nft.json alone', `${alone.toFixed(2)} s`, `${(alone / peer).toFixed(2)} × nft`)
}

const folder = capture('scale-nftables')
if (folder === undefined || process.getuid?.() !== 0) report('scale-nftables', 'skipped', 'needs root and the captures')
else {
  inScratch((scratch) => recorded(folder, scratch))
  inScratch((scratch) => generated(folder, scratch))
}

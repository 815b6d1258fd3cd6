/** Random rules of nft: what they match, and what they do where they stand. */
import { ip, type Place, some, type Table } from './nft-table.ts'

export function makeRule(t: Table, place: Place): string {
  const { r } = t.pool
  const end = statement(t, place)
  const strong = /^(drop|reject|notrack)/.test(end)
  let words = features(t, strong ? 2 : r.pick([0, 1, 1, 2]))
  // a port needs to know that there is one, a reset that it is TCP
  if (/:\d+$|tcp dport/.test(end) || end.includes('tcp reset'))
    words = [...words.filter((w) => !/^(meta l4proto|tcp|udp|icmp)/.test(w)), r.pick(['tcp dport 1-9999', 'tcp dport { 80, 81, 7000 }'])]
  if (r.chance(0.45)) words.push(extra(t, place))
  const once = place.kind === 'dst' || (strong && (place.hook === 'input' || place.hook === 'output'))
  if (t.pool.random && r.chance(0.3) && once) {
    words.push(`${place.kind === 'dst' ? '' : 'ct state new '}numgen random mod 4 ${r.pick(['< 1', '< 2', '0-1'])}`)
  }
  if (r.chance(0.3)) words.push('counter')
  return [...words, end].filter((w) => w !== '').join(' ') || 'counter'
}

export function features(t: Table, count: number): string[] {
  const { r } = t.pool
  const probe = t.pool.probe()
  const a = ip(t)
  const not = () => (r.chance(0.12) ? '!= ' : '')
  const source = t.pool.sourceOf(probe)
  const makers = [
    () => `${a} saddr ${not()}${r.pick([source, source, t.pool.prefix(), `{ ${some(t, 3, t.pool.address)} }`])}`,
    () => `${a} daddr ${not()}${r.pick([probe.dst, probe.dst, t.pool.prefix(), `{ ${some(t, 3, () => t.pool.probe().dst)} }`])}`,
    () => protocol(t, probe.proto, probe.port, not),
  ]
  const out: string[] = []
  while (out.length < count && makers.length > 0) {
    const [make] = makers.splice(r.below(makers.length), 1)
    if (make) out.push(make())
  }
  return out
}

function protocol(t: Table, proto: string, port: number | undefined, not: () => string): string {
  const { r, net } = t.pool
  if (port === undefined)
    return net.family === 4
      ? r.pick(['icmp type echo-request', 'icmp type { echo-reply, destination-unreachable }', 'meta l4proto icmp'])
      : r.pick(['icmpv6 type echo-request', 'icmpv6 type { echo-reply, destination-unreachable }'])
  return r.pick([
    `meta l4proto ${proto}`,
    `${proto} dport ${not()}${port}`,
    `${proto} dport ${port}`,
    `${proto} dport ${not()}{ ${[...new Set([port, 81, 7002])].join(', ')} }`,
    `${proto} dport ${not()}${Math.min(port, 79)}-${Math.max(port, 7000)}`,
    `${proto} sport ${not()}${port}`,
    `meta l4proto { tcp, udp } th dport ${not()}${port}`,
    proto === 'tcp' ? `tcp flags ${r.pick(['& (fin|syn|rst|ack) == syn', 'syn', '& syn != 0'])}` : 'meta l4proto udp',
    `${proto} dport >= ${port}`,
  ])
}

function extra(t: Table, place: Place): string {
  const { r, net } = t.pool
  const a = ip(t)
  const not = () => (r.chance(0.12) ? '!= ' : '')
  const { hook } = place
  const inbound = hook === 'prerouting' || hook === 'input' || hook === 'forward'
  const outbound = hook === 'output' || hook === 'postrouting' || hook === 'forward'
  const choices: string[] = [
    `meta mark ${not()}${t.pool.mark()}`,
    `meta mark & 0x3 == ${r.pick(['0x0', '0x1', '0x2'])}`,
    `ct mark ${not()}${r.pick(['0x0', '0x1'])}`,
    `ct state ${not()}${r.pick(['new', 'established', 'invalid', 'established,related', 'untracked'])}`,
    `ct status ${r.pick(['dnat', 'snat', 'seen-reply', 'confirmed'])}`,
    `ct direction ${r.pick(['original', 'reply'])}`,
    `ct original ${a} daddr ${not()}${t.pool.probe().dst}`,
    `ct reply ${a} saddr ${not()}${t.pool.address()}`,
    `ct state vmap { invalid : ${r.pick(['continue', 'return'])}, established : accept, related : accept }`,
    a === 'ip' ? `ip ttl ${r.pick(['< 64', '== 63', '> 62'])}` : `ip6 hoplimit ${r.pick(['< 64', '== 63', '> 62'])}`,
    'limit rate 1000/second burst 10000 packets',
    ...(t.inet ? [`meta nfproto ${net.family === 4 ? 'ipv4' : 'ipv6'}`] : []),
    `fib saddr type ${not()}${r.pick(['local', 'unicast'])}`,
    `fib daddr type ${not()}${r.pick(['local', 'unicast', '{ local, unicast }'])}`,
  ]
  if (place.kind === 'dst' || place.kind === 'src') choices.splice(9, 1)
  if (inbound || hook === undefined)
    choices.push(`iifname ${not()}"${r.pick([t.pool.device(), 'eth*', 'cali*'])}"`, `iifname ${not()}{ "${t.pool.device()}", "lo" }`)
  if (outbound || hook === undefined) choices.push(`oifname ${not()}"${r.pick([t.pool.device(), 'eth*', 'cali*'])}"`)
  if (hook === 'prerouting')
    choices.push(`fib saddr . iif oif ${r.pick(['missing', 'exists'])}`, `fib daddr . iif type ${r.pick(['local', 'unicast'])}`)
  if (hook === 'input') choices.push('fib saddr . iif oif exists')
  // a chain that the wrong hook leads to may not have it
  const lawful = (key: string) =>
    !(key === 'iifname' && !inbound && hook !== undefined) && !(key === 'oifname' && !outbound && hook !== undefined)
  for (const set of t.sets) {
    const needs = set.key.includes('th ') && !set.key.includes('l4proto') ? 'meta l4proto { tcp, udp } ' : ''
    if (!set.verdicts && lawful(set.key)) for (let i = 0; i < 3; i++) choices.push(`${needs}${set.key} ${not()}@${set.name}`)
  }
  return r.pick(choices)
}

function statement(t: Table, place: Place): string {
  const { r, net } = t.pool
  const any = [
    'accept',
    'return',
    '',
    `meta mark set ${t.pool.mark()}`,
    `meta mark set meta mark ${r.pick(['| 0x2', '& 0xfffffffe', '^ 0x1'])}`,
    'ct mark set meta mark',
    'meta mark set ct mark',
    `ct mark set ${r.pick(['0x1', '0x2'])}`,
    ...(place.users.length > 0 ? [`jump ${r.pick(place.users)}`, `jump ${r.pick(place.users)}`, `goto ${r.pick(place.users)}`] : []),
  ]
  const verdicts = t.sets.filter((s) => s.verdicts).map((s) => `${s.key} vmap @${s.name}`)
  switch (place.kind) {
    case 'filter':
    case 'route': {
      const rejects =
        ['input', 'forward', 'output'].includes(place.hook ?? '') && place.kind === 'filter' && place.priority > -150
          ? [reject(t), reject(t)]
          : []
      const untracked = place.priority === -300 ? ['notrack', 'notrack'] : []
      // an element may jump to a chain of filter rules
      const maps = place.users.includes('u1') ? [...verdicts, ...verdicts] : []
      return r.pick([...any, 'drop', ...rejects, ...untracked, ...maps])
    }
    case 'dst': {
      const family = t.inet ? ` ${ip(t)}` : ''
      const bracket = (address: string) => (net.family === 6 ? `[${address}]` : address)
      const maps = t.maps.map((m) => (m.port ? `dnat${family} to ${m.key} map @${m.name}` : `dnat${family} to ${m.key} map @${m.name}`))
      const arms = t.pool.random ? [`dnat${family} to numgen random mod 2 map { 0 : ${t.pool.backend()}, 1 : ${t.pool.backend()} }`] : []
      const hashed = `dnat${family} to jhash ${ip(t)} saddr mod 2 seed 0x17 map { 0 : ${t.pool.backend()}, 1 : ${t.pool.backend()} }`
      const dnat = [
        `dnat${family} to ${t.pool.backend()}`,
        `dnat${family} to ${t.pool.backend()}`,
        `dnat${family} to ${bracket(t.pool.backend())}:${r.pick([80, 7000, 7001])}`,
        r.chance(0.5) ? 'redirect' : `redirect to :${r.pick([80, 7000])}`,
        hashed,
        ...arms,
        ...maps,
        ...maps,
      ]
      return r.pick([...any, ...dnat, ...dnat])
    }
    case 'src': {
      const family = t.inet ? ` ${ip(t)}` : ''
      const own = t.pool.space.addresses
      const snat = [
        'masquerade',
        'masquerade',
        `masquerade ${r.pick(['random', 'fully-random'])}`,
        `snat${family} to ${own.length > 0 && r.chance(0.7) ? r.pick(own) : t.pool.address()}`,
      ]
      return r.pick([...any, ...snat, ...snat])
    }
  }
}

function reject(t: Table): string {
  const { r, net } = t.pool
  const codes =
    net.family === 4
      ? ['port-unreachable', 'net-unreachable', 'host-unreachable', 'admin-prohibited']
      : ['port-unreachable', 'no-route', 'addr-unreachable', 'admin-prohibited']
  if (r.chance(0.25)) return 'reject with tcp reset'
  if (t.inet && r.chance(0.5))
    return `reject with icmpx type ${r.pick(['port-unreachable', 'admin-prohibited', 'no-route', 'host-unreachable'])}`
  if (t.inet) return 'reject'
  return `reject with ${net.family === 4 ? 'icmp' : 'icmpv6'} type ${r.pick(codes)}`
}

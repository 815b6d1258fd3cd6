import { ip, service, some, type Table, type } from './nft-table.ts'

/** Named sets, verdict maps and maps; keys of elements differ, as nft wants it. */
export function makeSets(t: Table): void {
  const { r } = t.pool
  const a = ip(t)
  const addr = type(t)
  const unique = (n: number, make: () => readonly [string, string]) =>
    [...new Map(Array.from({ length: n }, make)).entries()].map(([k, v]) => `${k} : ${v}`).join(', ')
  const set = (name: string, spec: string, elements: string, key: string) => {
    t.lines.push(`add set ${t.name} ${name} { ${spec} ; }`, `add element ${t.name} ${name} { ${elements} }`)
    t.sets.push({ key, name })
  }
  const vmap = (name: string, spec: string, elements: string, key: string) => {
    t.lines.push(`add map ${t.name} ${name} { ${spec} ; }`, `add element ${t.name} ${name} { ${elements} }`)
    t.sets.push({ key, name, verdicts: true })
  }
  const map = (name: string, spec: string, elements: string, key: string, port: boolean) => {
    t.lines.push(`add map ${t.name} ${name} { ${spec} ; }`, `add element ${t.name} ${name} { ${elements} }`)
    t.maps.push({ key, name, port })
  }
  const verdict = () => r.pick(['accept', 'drop', 'return', 'jump u1', 'goto u2', 'continue'])
  const serviceKey = `${a} daddr . meta l4proto . th dport`
  const makers = [
    () => set('addresses', `type ${addr}`, some(t, 4, t.pool.address), `${a} ${r.pick(['saddr', 'daddr'])}`),
    () => set('networks', `type ${addr} ; flags interval ; auto-merge`, some(t, 4, t.pool.prefix), `${a} ${r.pick(['saddr', 'daddr'])}`),
    () =>
      set(
        'flows',
        `type ${addr} . ${addr} . inet_service`,
        some(t, 4, () => {
          const p = t.pool.probe()
          return `${t.pool.sourceOf(p)} . ${p.dst} . ${p.port ?? 80}`
        }),
        `${a} saddr . ${a} daddr . th dport`,
      ),
    () =>
      set(
        'ranges',
        `type ${addr} . inet_proto . inet_service ; flags interval`,
        some(t, 1, () => `${t.pool.prefix()} . ${r.pick(['tcp', 'udp'])} . ${r.pick(['80', '80-7000', '7000-7002'])}`),
        serviceKey,
      ),
    () =>
      set(
        'ports',
        'type inet_service ; flags interval',
        r.pick(['80, 7000-7001', '53-80', '81, 7002']),
        r.pick(['tcp dport', 'udp dport', 'th dport', 'th sport']),
      ),
    () =>
      set(
        'devs',
        'type ifname',
        some(t, 3, () => `"${t.pool.device()}"`),
        r.pick(['iifname', 'oifname']),
      ),
    () => set('marks', 'type mark', some(t, 3, t.pool.mark), 'meta mark'),
    () =>
      vmap(
        'services',
        `type ${addr} . inet_proto . inet_service : verdict`,
        unique(4, () => {
          const s = service(t)
          return [`${s.dst} . ${s.proto} . ${s.port}`, verdict()]
        }),
        serviceKey,
      ),
    () =>
      vmap(
        'sources',
        `type ${addr} : verdict`,
        unique(3, () => [t.pool.address(), verdict()]),
        `${a} saddr`,
      ),
    () =>
      map(
        'backends',
        `type ${addr} : ${addr}`,
        unique(4, () => [t.pool.probe().dst, t.pool.backend()]),
        `${a} daddr`,
        false,
      ),
    () =>
      map(
        'servers',
        `type ${addr} . inet_service : ${addr} . inet_service`,
        unique(4, () => {
          const s = service(t)
          return [`${s.dst} . ${s.port}`, `${t.pool.backend()} . ${r.pick([80, 7000, 7001])}`]
        }),
        `${a} daddr . tcp dport`,
        true,
      ),
  ]
  for (const make of makers) if (r.chance(0.3)) make()
}

/** `net.ipv4.vs.*` of one host (Documentation/networking/ipvs-sysctl.rst). */
import { number } from '../../kernel/sysctl/effective.ts'
import { isKubeProxyDevice } from '../attribution/device-names.ts'
import { type Run, Undecided } from '../run.ts'
import type { Place } from '../world.ts'

/** Settings that a walk may ask for, with the kernel's defaults. */
const defaults = {
  am_droprate: 10,
  backup_only: 0,
  cache_bypass: 0,
  conn_reuse_mode: 1,
  conntrack: 0,
  drop_packet: 0,
  expire_nodest_conn: 0,
  expire_quiescent_template: 0,
  nat_icmp_send: 0,
  sloppy_sctp: 0,
  sloppy_tcp: 0,
  snat_reroute: 1,
} as const

/** What kube-proxy sets at its start (pkg/proxy/ipvs, NewProxier). */
const kubeProxys: Partial<Record<keyof typeof defaults, number>> = { conntrack: 1, expire_nodest_conn: 1, expire_quiescent_template: 1 }

/** @throws Undecided if the host's settings are not dumped and nothing tells how they would be */
export function ipvsSetting(run: Run, place: Place, name: keyof typeof defaults): number {
  const found = number(place.host.ipvs?.sysctls, `net.ipv4.vs.${name}`)
  if (found) return found.value
  if (!place.host.links?.some((l) => isKubeProxyDevice(l.name))) {
    if (name === 'conntrack') {
      const file = `${place.host.dir}/sysctl-vs.txt`
      throw new Undecided(
        place.label,
        `${file} is missing: whether conntrack sees the packets of IPVS (net.ipv4.vs.conntrack) is not known`,
      )
    }
    return defaults[name]
  }
  run.assumptions.add(`${place.label}: net.ipv4.vs.* are as kube-proxy sets them`)
  return kubeProxys[name] ?? defaults[name]
}

/** Whether a host takes what came in by a device, and where it goes: ip_route_input_slow, fib_validate_source. */
import { validateSource } from '../kernel/route/validate-source.ts'
import { acceptLocal, forwarding, routeLocalnet, rpFilter, sendRedirects, settingText, srcValidMark } from '../kernel/sysctl/effective.ts'
import { type Family, isLoopback, isMulticast } from '../net/ip.ts'
import { type Decision, keys, route } from './routing.ts'
import { type Run, type Skb, Undecided } from './run.ts'
import type { Blame } from './step.ts'
import type { Place } from './world.ts'

export type Admission = { readonly kind: 'ok'; readonly decision: Decision } | { readonly kind: 'drop'; readonly blame: Blame }

/** Input routing (ip_route_input_slow): where to, whether this host may take it there, and whether the source may come from here. */
export function routeInput(run: Run, skb: Skb): Admission {
  const { place, packet: p } = skb
  const device = skb.inDevice
  if (isMulticast(p.dst)) throw new Undecided(place.label, `multicast to ${p.dst.text} is not followed`)
  const localnet = routeLocalnet(place.host.sysctls, device)
  if (p.family === 4 && !localnet?.value && (isLoopback(p.src) || isLoopback(p.dst))) {
    const entry = `route_localnet is off on ${device}: ${isLoopback(p.src) ? p.src.text : p.dst.text} may not come from the wire`
    return { kind: 'drop', blame: { place, kind: 'sysctl', entry, ...(localnet && { source: localnet }) } }
  }
  const decision = route(run, place, { family: p.family, dst: p.dst, src: p.src, iif: device, mark: skb.mark, ...keys(p) }, 'route')
  // IPv6 says that there is no way whether it forwards or not (ip6_pkt_drop); IPv4 then is silent (ip_error)
  if (decision.kind === 'out' || (decision.kind === 'no-way' && p.family === 4)) {
    const stop = mayForward(run, place, p.family, device)
    if (stop) return { kind: 'drop', blame: stop }
  }
  const stop =
    decision.kind === 'no-way' || p.family === 6 ? undefined : refuseSource(skb, decision.kind === 'out' ? decision.device : undefined)
  return stop ? { kind: 'drop', blame: stop } : { kind: 'ok', decision }
}

/** Loopback's address does not come from the wire in IPv6, whatever the settings (ip6_rcv_core; RFC 4291 §2.5.3): it is dropped before any hook. */
export function refuseLoopback({ place, packet: { family, src, dst }, inDevice }: Skb): Blame | undefined {
  if (family === 4 || !(isLoopback(src) || isLoopback(dst)) || place.links.get(inDevice)?.kind === 'loopback') return undefined
  return { place, kind: 'route', entry: `${isLoopback(src) ? `from ${src.text}` : `to ${dst.text}`}, which may not come from the wire` }
}

/** fib_validate_source. A host without sysctls (an outside one) is taken to have rp_filter off. */
export function refuseSource(skb: Pick<Skb, 'place' | 'packet' | 'inDevice' | 'mark'>, outDevice: string | undefined): Blame | undefined {
  const { place, packet: p, inDevice: device } = skb
  const { sysctls, links, rules, kind, dir } = place.host
  const rp = rpFilter(sysctls, device)
  if (!rp && kind === 'node') throw new Undecided(place.label, `${dir}/sysctl.txt does not have rp_filter of ${device}`)
  const verdict = validateSource(place.routes[4], rules[4], links ?? [], {
    src: p.src,
    dst: p.dst,
    device,
    mark: srcValidMark(sysctls, device)?.value ? skb.mark : 0,
    rpFilter: rp?.value ?? 0,
    acceptLocal: acceptLocal(sysctls, device)?.value ?? false,
    sendRedirects: sendRedirects(sysctls, device)?.value ?? true,
    ...(outDevice !== undefined && { outDevice }),
    ...keys(p),
  })
  switch (verdict) {
    case 'ok':
      return undefined
    case 'own-address': {
      const own = place.addresses.get(p.src.text)
      return { place, kind: 'route', entry: `martian source: ${p.src.text} is this host's own address`, ...(own && { source: own.source }) }
    }
    case 'reverse-path': {
      const entry = rp ? settingText(rp) : `rp_filter on ${device}`
      return { place, kind: 'sysctl', entry: `${entry}: the way back to ${p.src.text} is not by ${device}`, ...(rp && { source: rp }) }
    }
    case 'martian':
      return { place, kind: 'route', entry: `martian source ${p.src.text}` }
    default:
      throw new Undecided(place.label, verdict.unknown)
  }
}

/** Forwarding is switched by the incoming device for IPv4 and for the whole host for IPv6 (ip-sysctl.txt). */
function mayForward(run: Run, place: Place, family: Family, device: string): Blame | undefined {
  const set = forwarding(place.host.sysctls, family, device)
  if (set) return set.value ? undefined : { place, kind: 'sysctl', entry: settingText(set), source: set }
  if (place.host.kind === 'node')
    throw new Undecided(place.label, `${place.host.dir}/sysctl.txt does not say whether ${place.label} forwards`)
  const ok = run.world.snapshot.header.assume.forwarding.includes(place.id)
  run.assumptions.add(
    ok ? `${place.label} forwards (snapshot.json)` : 'pods and outside hosts do not forward, have no rules and no rp_filter',
  )
  return ok ? undefined : { place, kind: 'sysctl', entry: `${place.label} does not forward` }
}

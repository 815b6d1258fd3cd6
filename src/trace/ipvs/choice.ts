/** Which virtual server a packet is for, and which real server it gets (ip_vs_core.c: ip_vs_schedule, ip_vs_sched_persist). */
import { stillThere } from '../../kernel/elapsed.ts'
import { type Asked, FTP, findService } from '../../kernel/ipvs/find-service.ts'
import { findTemplate, isInUse } from '../../kernel/ipvs/find-template.ts'
import { formatServiceKey } from '../../kernel/ipvs/format-save.ts'
import { mayTake, type Share, schedule } from '../../kernel/ipvs/schedule.ts'
import type { IpvsConnection, IpvsTable, RealServer, VirtualServer } from '../../kernel/ipvs/types.ts'
import type { Ipvs } from '../../snapshot/types.ts'
import { type Run, type Skb, Undecided } from '../run.ts'
import { elapsedOf, type Place } from '../world.ts'
import type { IpvsHeaders } from './connections.ts'
import { ipvsSetting } from './settings.ts'

/** Active FTP connects from here: such packets are never scheduled. */
const FTP_DATA = 20

/** What the scheduler says of a packet that belongs to no connection. */
export type Choice =
  /** not IPVS's business */
  | { readonly kind: 'none' }
  | { readonly kind: 'server'; readonly service: VirtualServer; readonly server: RealServer }
  /** nobody takes new connections */
  | { readonly kind: 'empty'; readonly service: VirtualServer }
  /** net.ipv4.vs.drop_packet */
  | { readonly kind: 'drop'; readonly service: VirtualServer }

/** Schedules the first packet of a connection. */
export function chooseServer(run: Run, skb: Skb, ipvs: Ipvs, headers: IpvsHeaders): Choice {
  const { place, mark } = skb
  const { proto, src, dst } = headers
  if (dst.port.lo !== dst.port.hi) return { kind: 'none' }
  const asked: Asked = { proto, dst: dst.ip, dport: dst.port.lo, mark }
  const service = findService(ipvs.table, asked)
  if (!service) return { kind: 'none' }
  if (tooBusy(run, place)) return { kind: 'drop', service }
  if (src.port.lo === FTP_DATA && src.port.hi === FTP_DATA) return { kind: 'none' }
  noteService(run, place, ipvs.table, service)
  const { key } = service
  // port 0, and FTP for its data connections: only persistent ones have a server for ports of their own
  const strange = key.kind === 'address' && key.port !== asked.dport
  if (strange && !service.persistence) return key.port === FTP ? { kind: 'none' } : { kind: 'empty', service }
  const server = pick(run, place, ipvs, service, asked, headers)
  if (server) return { kind: 'server', service, server }
  return strange && key.port === FTP ? { kind: 'none' } : { kind: 'empty', service }
}

/** ip_vs_todrop: under pressure one new connection in `am_droprate` is dropped. */
function tooBusy(run: Run, place: Place): boolean {
  const mode = ipvsSetting(run, place, 'drop_packet')
  if (mode === 3) {
    const rate = ipvsSetting(run, place, 'am_droprate')
    return rate > 0 && run.choices.chance(1 / rate, `IPVS of ${place.label} drops one new connection in ${rate} (drop_packet = 3)`)
  }
  // 2 is what the kernel makes of 1 while it is short of memory
  return mode === 2 && run.choices.unknown(`IPVS of ${place.label} drops some new connections for want of memory (drop_packet = 2)`)
}

/** The server by the client's template, or by the scheduler. */
function pick(run: Run, place: Place, ipvs: Ipvs, service: VirtualServer, asked: Asked, { src, dst }: IpvsHeaders): RealServer | undefined {
  const { persistence } = service
  const name = formatServiceKey(service.key)
  if (persistence) {
    if (!ipvs.connections) return stuckSomewhere(run, place, service, name)
    const expire = ipvsSetting(run, place, 'expire_quiescent_template') !== 0
    const { connections } = ipvs
    const elapsed = elapsedOf(run.world, place)
    const there = (template: IpvsConnection): boolean => {
      const still = stillThere(template.expires, elapsed)
      if (still || (still === false && !isInUse(template, persistence, connections))) return still
      return run.choices.unknown(`IPVS of ${place.label}: whether its template for ${src.ip.text} and ${name} has ended since`)
    }
    const stuck = findTemplate(service, persistence, src.ip, asked, connections, expire, there)
    if (stuck.length > 0)
      return among(
        run,
        place,
        stuck.map((server) => ({ server, share: 1 / stuck.length })),
        `IPVS template of ${name}`,
      )
  }
  const result = schedule(service, { src: src.ip, dst: dst.ip, sport: src.port })
  if (result.kind === 'unknown') throw new Undecided(place.label, result.why)
  for (const a of result.assumed) run.assumptions.add(a)
  return among(run, place, result.shares, `IPVS ${service.scheduler} of ${name}`)
}

/** Without the templates, any server may be the one that a client sticks to, whatever the scheduler. */
function stuckSomewhere(run: Run, place: Place, service: VirtualServer, name: string): RealServer | undefined {
  const servers = service.servers.filter(mayTake)
  if (servers.length > 1)
    run.assumptions.add(
      `${place.label}: which real server a client of a persistent virtual server sticks to is not recorded (ipvsadm -Lnc)`,
    )
  const sum = servers.reduce((n, s) => n + s.weight, 0)
  return among(
    run,
    place,
    servers.length === 0 ? [{ server: undefined, share: 1 }] : servers.map((server) => ({ server, share: server.weight / sum })),
    `IPVS persistence of ${name}`,
  )
}

const among = (run: Run, place: Place, shares: readonly Share[], what: string): RealServer | undefined =>
  shares[
    run.choices.pick(
      shares.map((s) => s.share),
      `${what} on ${place.label}`,
    )
  ]?.server

function noteService(run: Run, place: Place, table: IpvsTable, service: VirtualServer): void {
  const { key, scheduler, persistence } = service
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'ipvs',
    where: 'virtual server',
    action: `${key.kind === 'mark' ? `firewall mark ${key.mark}` : `${key.proto} ${key.ip.text}:${key.port}`} by ${scheduler}${persistence ? `, persistent ${persistence.timeout} s` : ''}`,
    weight: 'passes',
    source: { file: table.file, line: service.line },
    virtualServer: key,
  })
}

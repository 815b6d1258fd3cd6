/** From what the walk recorded to what is shown: a hop with its evidence, owner and object. */

import type { Packet } from '../net/packet.ts'
import type { Snapshot } from '../snapshot/types.ts'
import { linkOwner } from './attribution/link-owner.ts'
import { routeObject } from './attribution/route-object.ts'
import { routeOwner } from './attribution/route-owner.ts'
import { ruleView } from './attribution/rule-view.ts'
import { virtualServerObject, virtualServerOwner } from './attribution/virtual-server.ts'
import { evidenceAt, evidenceOf, ruleEvidence } from './evidence.ts'
import type { NftPlace, Step } from './step.ts'
import type { Hop, Owner } from './types.ts'

/**
 * Like evidence, hops are made once: of a rule that does the same to every packet, of a route or device that it takes the same way. They are kept
 * with the rule, route or device, and found by comparing the few members that may differ.
 */
const ruleHops = new WeakMap<object, { readonly hook: string; readonly hop: Hop }[]>()
const entryHops = new WeakMap<object, { readonly step: EntryStep; readonly hop: Hop }[]>()
/** Devices lead to many neighbours: no more than these are kept with one. */
const mostEntryHops = 16

type EntryStep = Extract<Step, { kind: 'entry' }>

/** `10.244.0.3:* → 10.244.1.4:8080/tcp`; an ephemeral port is `*` */
export function headers(p: Packet): string {
  const at = (ip: string, port: Packet['sport']) => {
    const host = p.family === 6 && port ? `[${ip}]` : ip
    return port ? `${host}:${port.lo === port.hi ? port.lo : '*'}` : host
  }
  const what = p.icmp ? `${p.family === 4 ? 'icmp' : 'icmpv6'} ${p.icmp.type}/${p.icmp.code}` : p.proto
  return `${at(p.src.text, p.sport)} → ${at(p.dst.text, p.dport)} ${what}`
}

/** The hops of one packet. */
export function attributeHops(snapshot: Snapshot, steps: readonly Step[]): Hop[] {
  const hops: Hop[] = []
  for (const [i, step] of steps.entries()) {
    const hop = attributeHop(snapshot, step)
    const before = steps[i - 1]
    const led = hop.object === undefined && step.kind === 'nft' && before?.kind === 'nft' && leadsTo(before, step)
    // a chain that serves all Services alike (reject-chain) is about the one whose element led there
    const object = led ? hops[i - 1]?.object : undefined
    hops.push(object === undefined ? hop : { ...hop, object })
  }
  return hops
}

function leadsTo({ element, table }: NftPlace, to: NftPlace): boolean {
  const verdict = element?.data?.kind === 'verdict' ? element.data.verdict : undefined
  return (verdict?.kind === 'goto' || verdict?.kind === 'jump') && verdict.chain === to.chain.name && table === to.table
}

function attributeHop(snapshot: Snapshot, step: Step): Hop {
  if (step.kind !== 'entry') return ruleHop(snapshot, step)
  const { packet, choice } = step
  const key = step.route ?? (step.device === undefined ? undefined : step.place.links.get(step.device))
  const hop = key ? knownEntryHop(snapshot, key, step) : entryHop(snapshot, step)
  return packet || choice ? { ...hop, ...(packet && { packet: headers(packet) }), ...(choice && { choice }) } : hop
}

function knownEntryHop(snapshot: Snapshot, key: object, step: EntryStep): Hop {
  let known = entryHops.get(key)
  if (!known) entryHops.set(key, (known = []))
  for (const { step: other, hop } of known) if (sameStep(other, step)) return hop
  const hop = entryHop(snapshot, step)
  if (known.length < mostEntryHops) known.push({ step, hop })
  return hop
}

/** Equal in all that a hop is made of, but headers and choice. */
const sameStep = (x: EntryStep, y: EntryStep): boolean =>
  x.stage === y.stage &&
  x.action === y.action &&
  x.where === y.where &&
  x.weight === y.weight &&
  x.place === y.place &&
  x.source === y.source &&
  x.owner === y.owner &&
  x.object === y.object &&
  x.device === y.device &&
  x.route === y.route &&
  (x.also === y.also || (x.also?.length === y.also?.length && x.also?.every((s, i) => s === y.also?.[i]) === true))

function entryHop(snapshot: Snapshot, step: EntryStep): Hop {
  const owner: Owner = step.owner ?? ownerOf(snapshot, step)
  const object = step.object ?? objectOf(snapshot, step)
  const evidence = evidenceOf(snapshot, step.source)
  return {
    node: step.place.label,
    stage: step.stage,
    where: step.where,
    owner,
    ...(object !== undefined && { object }),
    action: step.action,
    weight: step.weight,
    ...(evidence && { evidence }),
    ...(step.also && { also: step.also.flatMap((s) => evidenceOf(snapshot, s) ?? []) }),
  }
}

type RuleStep = Exclude<Step, EntryStep>

function ruleHop(snapshot: Snapshot, step: RuleStep): Hop {
  const { rule, chain, action, weight, packet, choice } = step
  const key = (step.kind === 'nft' ? step.element : undefined) ?? rule ?? chain
  let known = ruleHops.get(key)
  if (!known) ruleHops.set(key, (known = []))
  // a rule stands in one chain of one table: what may differ is the hook that led there, and what it did
  let hop = known.find((k) => k.hook === step.hook && k.hop.weight === weight && k.hop.action === action)?.hop
  if (!hop) {
    hop = makeRuleHop(snapshot, step)
    known.push({ hook: step.hook, hop })
  }
  return packet || choice ? { ...hop, ...(packet && { packet: headers(packet) }), ...(choice && { choice }) } : hop
}

function makeRuleHop(snapshot: Snapshot, step: RuleStep): Hop {
  const { place, hook, action, weight } = step
  const { owner, object, source, table, remarks } = ruleView(step, snapshot.cluster, place.host.name)
  const base = { node: place.label, owner, ...(object !== undefined && { object }), action, weight }
  const chain = step.chain.name
  if (step.kind === 'rule') {
    const where = `${table} ${hook}${chain === hook ? '' : ` ${chain}`}`
    const evidence = ruleEvidence(snapshot, source, step, step.rule ? step.rule.counters : step.chain.counters)
    return { ...base, stage: table as Hop['stage'], where, evidence, table, chain }
  }
  const tableName = `${step.table.family} ${step.table.name}`
  const { element, rule } = step
  const counter = rule?.statements.find((s) => s.kind === 'counter')
  return {
    ...base,
    stage: nftStage(step, table),
    where: `${tableName} ${chain}`,
    evidence: ruleEvidence(snapshot, source, step, counter && { packets: counter.packets, bytes: counter.bytes }),
    ...(element && element.line !== source.line && { also: [evidenceAt(snapshot, { file: step.file, line: element.line })] }),
    table: tableName,
    chain,
    ...(remarks[0] !== undefined && { remark: remarks[0] }),
  }
}

/** The table of iptables that a chain of nft stands for: Felix's layers say it, others go by the type and priority of their base chain. */
function nftStage({ base }: NftPlace, table: string): Hop['stage'] {
  if (table === 'raw' || table === 'mangle' || table === 'nat' || table === 'filter') return table
  const { type, priority } = base.base
  if (type === 'nat') return 'nat'
  if (priority <= -300) return 'raw'
  return type === 'route' || priority === -150 ? 'mangle' : 'filter'
}

function objectOf({ cluster }: Snapshot, { route, virtualServer, place }: EntryStep): string | undefined {
  if (virtualServer) return virtualServerObject(virtualServer, cluster)
  return route && routeObject(route, place.host, cluster)
}

function ownerOf(snapshot: Snapshot, step: EntryStep): Owner {
  if (step.stage === 'route' && step.route) return routeOwner(step.route, step.place.host, snapshot.cluster)
  if (step.virtualServer) return virtualServerOwner(step.virtualServer, step.place.host)
  const link = step.device === undefined ? undefined : step.place.links.get(step.device)
  return link ? linkOwner(link, step.place.host, snapshot.cluster) : 'kernel'
}

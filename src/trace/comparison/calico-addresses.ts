/** Calico IPAM: who gave the pods their addresses. */

import { formatPrefix } from '../../net/ip.ts'
import type { Evidence, Part } from '../types.ts'
import type { PodAddress } from './addresses.ts'
import type { Facts } from './facts.ts'
import { addressEvidence } from './object-evidence.ts'
import { list, statements } from './words.ts'

/** Addresses to prove; a Service with hundreds of endpoints needs no more. */
const shown = 3

/** Its part in `podIpManagement`: the pools and blocks that the pods' addresses are from. */
export function calicoAddresses(f: Facts): Part {
  const { addresses, snapshot } = f
  if (addresses.length === 0) return { acted: false, what: 'no address of the pod network took part', evidence: [] }
  const given = addresses.filter((a) => a.pool !== undefined || a.block !== undefined)
  if (given.length === 0)
    return {
      acted: false,
      what: `${list(addresses.map(who))} ${addresses.length > 1 ? 'are' : 'is'} in no IP pool of Calico: another IPAM gave the address`,
      evidence: [],
    }
  const evidence = new Map<string, Evidence>()
  for (const a of given.slice(0, shown)) for (const e of addressEvidence(a, snapshot)) evidence.set(`${e.file}:${e.line}`, e)
  return { acted: evidence.size > 0, mechanism: 'Calico IPAM', what: statements(given.map(origin)), evidence: [...evidence.values()] }
}

const who = (a: PodAddress): string => `${a.ip} of pod/${a.pod.namespace}/${a.pod.name}`

function origin(a: PodAddress): string {
  const pool = a.pool ? `pool ${a.pool.name}` : 'no known pool'
  if (!a.block) return `${who(a)}: ${pool}, but no IPAM block records it`
  return `${who(a)}: block ${formatPrefix(a.block.cidr)}${a.block.node === undefined ? '' : ` of ${a.block.node}`}, ${pool}`
}

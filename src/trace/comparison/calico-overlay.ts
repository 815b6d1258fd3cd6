/** Calico between nodes: encapsulation, or a route of its own over the bare underlay. */

import type { Part } from '../types.ts'
import type { Facts } from './facts.ts'
import { requestFirst } from './walked.ts'
import { acted, idle, list, nodesIn, sentences } from './words.ts'

/** Its part in `overlayUnderlay`: the tunnels that packed the packets, or the routes that spared them one. */
export function calicoOverlay(f: Facts): Part {
  const { tunnel, direct } = f.calico
  const packed = tunnel.filter((s) => s.hop.stage === 'encapsulate')
  // rules about tunnel packets alone are the outer packets of somebody else's traffic, or of a node that forges them
  const steps = [...packed, ...tunnel.filter((s) => s.hop.stage !== 'encapsulate'), ...direct]
  if (steps.length > 0) {
    return acted(
      sentences(
        packed.length > 0 && `overlay: ${list(requestFirst(packed).map((s) => `${s.hop.action} by ${s.hop.where} on ${s.hop.node}`))}`,
        direct.length > 0 && `underlay without encapsulation: ${list(requestFirst(direct).map((s) => `${s.hop.action} on ${s.hop.node}`))}`,
        packed.length === 0 && direct.length === 0 && `tunnel packets were handled on ${nodesIn(tunnel)}`,
      ),
      [
        ...packed.map((s) => s.hop.action.split(' ')[0] ?? 'tunnel'),
        direct.length > 0 && 'direct route',
        packed.length === 0 && direct.length === 0 && 'tunnel rules',
      ],
      steps,
    )
  }
  return idle(why(f))
}

function why(f: Facts): string {
  const [only, ...others] = f.nodes
  if (only === undefined) return 'the packet never left the pod'
  if (f.addresses.length === 0) return 'both ends are hosts of the underlay: no overlay is involved'
  if (others.length === 0 && !f.left)
    return f.stoppedOn.includes(only) ? `stopped on ${only} before it could leave the node` : `nothing left ${only}: both ends are there`
  return "between hosts it went by the underlay's own routes, not by Calico's"
}

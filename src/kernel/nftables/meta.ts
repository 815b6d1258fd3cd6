/** What hangs on a packet beside its headers (nft_meta.c, nft_ct.c). */
import { isMulticast } from '../../net/ip.ts'
import { protocolNumber } from '../../net/packet.ts'
import type { Tuple } from '../iptables/env.ts'
import type { Link } from '../link/types.ts'
import type { NftEnv } from './env.ts'
import type { Expression, Value } from './expression-types.ts'
import { address, fitOf, number, type Operand, unknownOperand } from './operand.ts'
import { isEthernet, lengthOf } from './payload.ts'

/** Undefined: the kernel has nothing to load, and the rule ends. */
export function evaluateMeta(key: string, env: NftEnv): Operand | undefined {
  const { packet, inDevice, outDevice } = env
  switch (key) {
    case 'mark':
      return number(env.mark)
    case 'l4proto':
      return number(protocolNumber(packet.proto))
    case 'nfproto':
      return number(packet.family === 4 ? 2 : 10)
    case 'protocol':
      return number(packet.family === 4 ? 0x0800 : 0x86dd)
    // without a device the name is empty and the number 0 (nft_meta_store_ifname, nft_meta_store_ifindex), so that `!=` holds
    case 'iif':
    case 'iifname':
      return { kind: 'device', name: inDevice?.name ?? '', index: inDevice?.index ?? 0 }
    case 'oif':
    case 'oifname':
      return { kind: 'device', name: outDevice?.name ?? '', index: outDevice?.index ?? 0 }
    case 'iiftype':
      return incomingType(env)
    case 'oiftype':
      return outDevice && typeOf(outDevice)
    case 'iifgroup':
      return inDevice && groupOf(inDevice)
    case 'oifgroup':
      return outDevice && groupOf(outDevice)
    case 'iifkind':
      return inDevice && kindOf(inDevice)
    case 'oifkind':
      return outDevice && kindOf(outDevice)
    case 'length':
      return lengthOf(packet, 0)
    case 'priority':
      return number(env.priority)
    case 'pkttype':
      return packetType(env)
    case 'skuid':
    case 'skgid':
    case 'cgroup':
      // forwarded packets and those that the kernel makes belong to no process
      return env.localSender ? unknownOperand(`meta ${key} of the sender is not in the snapshot`) : undefined
    case 'secpath':
    case 'ipsec':
      return number(0)
    case 'random':
      return { kind: 'one of', lo: 0, hi: 0xffffffff, what: 'meta random', dice: true }
    case 'nftrace':
      return number(0)
    case 'ibrname':
    case 'obrname':
    case 'ibriport':
    case 'obriport':
    case 'ibrport':
    case 'obrport':
      return undefined
    default:
      return unknownOperand(`not modelled: meta ${key}`)
  }
}

/** ARPHRD_* of if_arp.h, for the kinds whose number is known */
const hardware: Readonly<Record<string, number>> = {
  loopback: 772,
  ipip: 768,
  sit: 776,
  ip6tnl: 769,
  gre: 778,
  wireguard: 65534,
  tun: 65534,
}

/**
 * Of the device that the packet belongs to at the moment: since Linux 6.10 `skb->dev`, which in POSTROUTING is already the outgoing one and
 * in OUTPUT only set for what the kernel's neighbour discovery sends; before that the incoming one.
 */
function incomingType({ hook, inDevice, outDevice, packet }: NftEnv): Operand | undefined {
  if (hook === 'POSTROUTING') {
    const now = outDevice && typeOf(outDevice)
    const before = inDevice && typeOf(inDevice)
    if (now && before && fitOf(now, before) === true) return now
  } else if (hook !== 'OUTPUT' || packet.proto !== 'icmpv6') return inDevice && typeOf(inDevice)
  return unknownOperand(`meta iiftype in ${hook} depends on the kernel's version`)
}

const typeOf = ({ kind }: Link): Value & { kind: 'number' } => ({ kind: 'number', value: isEthernet(kind) ? 1 : (hardware[kind] ?? 65534) })
const kindOf = ({ kind }: Link): Operand | undefined =>
  kind === 'ether' || kind === 'loopback' ? undefined : { kind: 'string', value: kind }

function groupOf({ group }: Link): Operand {
  if (group === undefined || group === 'default') return number(0)
  return /^\d+$/.test(group) ? number(Number(group)) : { kind: 'string', value: group }
}

/** 0 host, 1 broadcast, 2 multicast (if_packet.h): what the link layer says; a packet that the walk carries was sent to this host. */
function packetType({ packet }: NftEnv): Operand {
  if (packet.family === 4 && packet.dst.d === -1) return number(1)
  return number(isMulticast(packet.dst) ? 2 : 0)
}

const states: Readonly<Record<NftEnv['ct']['state'], number>> = { INVALID: 1, ESTABLISHED: 2, RELATED: 4, NEW: 8, UNTRACKED: 64 }

/** `ct …`. Without an entry only the state can be asked: everything else ends the rule (nft_ct_get_eval: `if (ct == NULL) goto err`). */
export function evaluateCt(expression: Extract<Expression, { kind: 'ct' }>, env: NftEnv): Operand | undefined {
  const { ct, packet } = env
  const { key, direction, family } = expression
  if (key === 'state') return number(states[ct.state])
  if (ct.state === 'INVALID' || ct.state === 'UNTRACKED') return undefined
  switch (key) {
    case 'direction':
      return number(ct.direction === 'ORIGINAL' ? 0 : 1)
    case 'status':
      return status(env)
    case 'mark':
      return number(ct.mark)
    case 'zone':
      return number(0)
    case 'l3proto':
      return number(packet.family === 4 ? 2 : 10)
    case 'protocol':
      return number(protocolNumber((ct.state === 'RELATED' && packet.icmp && packet.inner ? packet.inner : packet).proto))
    case 'saddr':
    case 'daddr':
    case 'proto-src':
    case 'proto-dst':
      if (family !== undefined && (family === 'ip') !== (packet.family === 4)) return undefined
      return ofTuple(direction === 'reply' ? ct.reply : ct.original, key)
    case 'helper':
      return ct.state === 'RELATED' && !packet.icmp ? unknownOperand('the conntrack helper is not in the snapshot') : undefined
    case 'secmark':
      return number(0)
    case 'label':
      return number(0)
    default:
      return unknownOperand(`ct ${key} is not in the snapshot`)
  }
}

function ofTuple(tuple: Tuple | undefined, key: 'saddr' | 'daddr' | 'proto-src' | 'proto-dst'): Operand | undefined {
  if (!tuple) return unknownOperand(`ct ${key} is not in the snapshot`)
  if (key === 'saddr') return address(tuple.src)
  if (key === 'daddr') return address(tuple.dst)
  const port = key === 'proto-src' ? tuple.sport : tuple.dport
  if (!port) return number(0)
  if (port.lo === port.hi) return number(port.lo)
  const side = key === 'proto-src' ? 'source' : 'destination'
  return { kind: 'one of', lo: port.lo, hi: port.hi, what: `the ${side} port of the connection (one of ${port.lo}-${port.hi})` }
}

/**
 * The whole word `ct->status` (nf_conntrack_common.h): expected 1, seen-reply 2, assured 4, confirmed 8, snat 16, dnat 32, and the bits that
 * NAT has been asked, 128 and 256. `!=` compares all of it. Where no nat chain is hooked in, the last two stay clear without a mapping.
 */
function status({ ct, packet }: NftEnv): Operand {
  const bit = (set: boolean, n: number) => (set ? n : 0)
  // TCP is assured from the third packet of the handshake on (nf_conntrack_tcp_packet), UDP some time after the first answer
  const assured = ct.seenReply && packet.tcp === 'ACK'
  const value = bit(ct.seenReply, 2) | bit(assured, 4) | bit(ct.confirmed, 8) | bit(ct.snat, 16 | 128) | bit(ct.dnat, 32 | 256)
  const open = bit(!ct.snat, 128) | bit(!ct.dnat, 256) | bit(ct.seenReply && packet.tcp === undefined, 4)
  return { kind: 'bits', value, open }
}

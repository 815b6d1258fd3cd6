import { has, type JsonEntry, missing, optionalInteger, optionalIp, optionalText, parseEntries, requiredText, texts } from '../json.ts'
import type { FdbEntry, Neighbour } from './types.ts'

/** Parses `ip -j neigh`, both families. */
export function parseNeighbours(text: string, file: string): Neighbour[] {
  return parseEntries(text, file, 'a neighbour', 'ip -j neigh').map((e) => {
    const mac = optionalText(e, 'lladdr')
    return {
      source: e.source,
      ip: optionalIp(e, 'dst') ?? missing(e, 'dst'),
      device: requiredText(e, 'dev'),
      ...(mac === undefined ? {} : { mac: mac.toLowerCase() }),
      states: has(e, 'state') ? texts(e, 'state') : missing(e, 'state'),
      proxy: has(e, 'proxy'),
      router: has(e, 'router'),
    }
  })
}

/** Parses `bridge -j fdb show`. */
export function parseFdb(text: string, file: string): FdbEntry[] {
  return parseEntries(text, file, 'an FDB entry', 'bridge -j fdb show').map((e: JsonEntry) => {
    const remote = optionalIp(e, 'dst')
    const vni = optionalInteger(e, 'vni', 0xffffff)
    const port = optionalInteger(e, 'port', 65535)
    const via = optionalText(e, 'viaIf')
    const master = optionalText(e, 'master')
    const state = optionalText(e, 'state')
    return {
      source: e.source,
      mac: requiredText(e, 'mac').toLowerCase(),
      device: requiredText(e, 'ifname'),
      ...(remote ? { remote } : {}),
      ...(vni === undefined ? {} : { vni }),
      ...(port === undefined ? {} : { port }),
      ...(via === undefined ? {} : { via }),
      ...(master === undefined ? {} : { master }),
      flags: texts(e, 'flags'),
      ...(state === undefined ? {} : { state }),
    }
  })
}

/**
 * Parses `ip -j -f bridge neigh`, the same table where there is no bridge(8). iproute2 (ip/ipneigh.c) leaves out ports, VNIs and devices of its entries,
 * so that they count as those of the tunnel.
 */
export function parseIpFdb(text: string, file: string): FdbEntry[] {
  return parseEntries(text, file, 'an FDB entry', 'ip -j -f bridge neigh').map((e: JsonEntry) => {
    const remote = optionalIp(e, 'dst')
    return {
      source: e.source,
      mac: requiredText(e, 'lladdr').toLowerCase(),
      device: requiredText(e, 'dev'),
      ...(remote ? { remote } : {}),
      flags: [],
    }
  })
}

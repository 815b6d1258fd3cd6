/** What `ip -d` says of a bridge and of its ports (iproute2, ip/iplink_bridge.c, ip/iplink_bridge_slave.c), as its JSON has it. */
import type { LineWords } from './words.ts'

type Fields = Record<string, unknown>

/** `bridge forward_delay 1500 … vlan_filtering 0 … nf_call_iptables 0 …`: the switches among the settings. */
export function bridgeOf(words: LineWords): Fields {
  const data: Fields = {}
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    words.next()
    if (word === 'vlan_filtering' || word === 'nf_call_iptables' || word === 'nf_call_ip6tables') data[word] = words.number()
  }
  return data
}

/** `bridge_slave state forwarding … hairpin off … isolated off …` */
export function bridgePortOf(words: LineWords): Fields {
  const data: Fields = {}
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    words.next()
    const value = words.peek()
    if (value === 'on' || value === 'off') data[word] = value === 'on'
    else if (word === 'state' || word === 'backup_port') data[word] = value
  }
  return data
}

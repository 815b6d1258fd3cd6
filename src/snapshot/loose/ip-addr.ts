/** `ip addr`, `ip -d link` for people: as `ip -j` prints them (iproute2, ip/ipaddress.c print_linkinfo, print_addrinfo). */
import { bridgeOf, bridgePortOf } from './ip-bridge.ts'
import { tunnelOf } from './ip-tunnel.ts'
import { entries, NotUnderstood } from './not-understood.ts'
import { LineWords } from './words.ts'

const DEVICE = /^(\d+): ([^:@\s]+)(?:@([^:\s]+))?: <([A-Z0-9_,-]*)> (.*)$/

/** Does a file begin as `ip addr` or `ip link` prints devices? */
export const looksLikeDevices = (text: string): boolean => /^\d+: [^:@\s]+(?:@[^:\s]+)?: <[A-Z0-9_,-]*> mtu \d+ /.test(text)

/** Kinds of which the walk needs no more than their name. */
const KINDS = new Set('veth dummy wireguard vlan macvlan macvtap ipvlan bond tun vrf ifb geneve gre gretap sit team netkit'.split(' '))
const SLAVES = /^(?:bond|vrf|team)_slave$/
const ADDRESS_FLAGS = new Set(
  'secondary dynamic deprecated tentative dadfailed temporary mngtmpaddr noprefixroute nodad home optimistic autojoin stable-privacy'.split(
    ' ',
  ),
)

type Fields = Record<string, unknown>

/** `addresses`: undefined if it is the output of `ip link`. `links`: undefined if devices are not told in detail (`-d`). */
export function devicesOf(text: string): { readonly addresses?: string; readonly links?: string } {
  const devices: Fields[] = []
  const details: Fields[] = []
  for (const [i, line] of text.split('\n').entries()) {
    // counters of ip -s
    if (line.trim() === '' || /^ +(?:[RT]X(?: errors)?:.*|[\d ]+)$/.test(line)) continue
    const heading = DEVICE.exec(line)
    if (heading) {
      devices.push(deviceOf(heading, new LineWords(heading[5] as string, i + 1)))
      details.push({})
      continue
    }
    const [device, detail] = [devices.at(-1), details.at(-1)]
    if (!device || !detail || !line.startsWith('    ')) throw new NotUnderstood(i + 1, 'expected a device, as ip addr prints it')
    detailOf(new LineWords(line, i + 1), device, detail)
  }
  const isLink = devices.some((d) => 'linkmode' in d)
  const hasDetails = details.some((d) => 'promiscuity' in d)
  return {
    ...(!isLink && { addresses: entries(devices) }),
    ...((isLink || hasDetails) && {
      links: entries(devices.map(({ addr_info: _, ...d }, i) => ({ linkmode: 'DEFAULT', ...d, ...details[i] }))),
    }),
  }
}

function deviceOf([, index, name, behind, flags]: RegExpExecArray, words: LineWords): Fields {
  const device: Fields = { ifindex: Number(index), ifname: name }
  const peer = /^if(\d+)$/.exec(behind ?? '')
  if (peer) device.link_index = Number(peer[1])
  else if (behind !== undefined) device.link = behind === 'NONE' ? null : behind
  device.flags = (flags as string).split(',').filter((f) => f !== '')
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    words.next()
    if (word === 'mtu') device.mtu = words.number()
    else if (word === 'qlen') device.txqlen = words.number()
    else if (word === 'state') device.operstate = words.next()
    else if (word === 'mode') device.linkmode = words.next()
    else if (word === 'qdisc' || word === 'master' || word === 'group') device[word] = words.next()
    else words.fail(`what ip addr prints of a device, not ${word}`)
  }
  return { ...device, addr_info: [] }
}

function detailOf(words: LineWords, device: Fields, detail: Fields): void {
  const word = words.next()
  const addresses = device.addr_info as Fields[]
  if (word.startsWith('link/')) linkOf(word.slice(5), words, device, detail)
  else if (word === 'inet' || word === 'inet6') addresses.push(addressOf(word, words))
  else if (word === 'valid_lft') lifetimes(words, addresses.at(-1))
  else if (word === 'bridge_slave')
    detail.linkinfo = { ...(detail.linkinfo as Fields), info_slave_kind: 'bridge', info_slave_data: bridgePortOf(words) }
  else if (word === 'altname' || word === 'alias' || SLAVES.test(word)) return
  else if (word === 'prog/xdp') detail.xdp = device.xdp = { mode: 1, prog: { name: '?' } }
  else if (word === 'vxlan' || word === 'ipip') detail.linkinfo = { info_kind: word, info_data: tunnelOf(word, words) }
  else if (word === 'bridge') detail.linkinfo = { info_kind: word, info_data: bridgeOf(words) }
  else if (KINDS.has(word)) detail.linkinfo = { info_kind: word }
  // what is left of a device's line
  else if (word !== 'numtxqueues') words.fail(`what ip addr prints of a device, not ${word}`)
}

/** `link/ether 0a:… brd ff:… link-netnsid 0 promiscuity 0 …` */
function linkOf(type: string, words: LineWords, device: Fields, detail: Fields): void {
  device.link_type = type
  if (words.peek()?.includes(':') || /^[\d.]+$/.test(words.peek() ?? '')) device.address = words.next()
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    words.next()
    if (word === 'brd' || word === 'peer') device.broadcast = words.next()
    else if (word === 'link-netnsid') device.link_netnsid = words.number()
    else if (word === 'promiscuity') detail.promiscuity = words.number()
  }
}

/** `inet 10.9.0.1 peer 10.9.0.2/32 brd 10.9.0.255 scope global secondary dynamic eth0` */
function addressOf(family: string, words: LineWords): Fields {
  const [local, own] = words.next().split('/')
  const address: Fields = { family, local }
  let length = own
  if (words.take('peer')) {
    const [peer, behind] = words.next().split('/')
    address.address = peer
    length = behind
  }
  address.prefixlen = Number(length ?? words.fail('the length of a prefix'))
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    words.next()
    if (word === 'brd') address.broadcast = words.next()
    else if (word === 'scope') address.scope = words.next()
    else if (word === 'metric' || word === 'proto') words.next()
    else if (ADDRESS_FLAGS.has(word)) address[word] = true
    // in the end, of IPv4
    else if (family === 'inet' && words.peek() === undefined) address.label = word
    else words.fail(`what ip addr prints of an address, not ${word}`)
  }
  return address
}

/** `valid_lft 3600sec preferred_lft forever` */
function lifetimes(words: LineWords, address: Fields | undefined): void {
  const time = (): number => {
    const word = words.next()
    return word === 'forever' ? 0xffffffff : Number.parseInt(word, 10)
  }
  const valid = time()
  if (!words.take('preferred_lft') || !address) words.fail('valid_lft TIME preferred_lft TIME')
  Object.assign(address, { valid_life_time: valid, preferred_life_time: time() })
}

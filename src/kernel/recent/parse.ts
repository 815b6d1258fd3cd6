import { parseIp } from '../../net/ip.ts'
import type { RecentLists } from './types.ts'

/**
 * Reads /proc/net/xt_recent/*, printed with the name of each list before its lines: as `head` prints several files
 * (`==> /proc/net/xt_recent/NAME <==`) or as `grep ''` does (`/proc/net/xt_recent/NAME:src=…`).
 * The times of each address, in its canonical form.
 */
export function parseRecent(text: string): RecentLists {
  const lists = new Map<string, Map<string, readonly number[]>>()
  let current = ''
  for (const line of text.split('\n')) {
    const title = /^(?:==> |# |\[)?(?:\/proc\/net\/xt_recent\/)?([^\s:=\]]+?)(?: <==|:|\])?$/.exec(line)
    const entry = /^(?:(?:\/proc\/net\/xt_recent\/)?([^\s:=]+):)?src=(\S+) ttl: \d+ last_seen: (\d+) oldest_pkt: \d+ ?(.*)$/.exec(line)
    if (entry) {
      const name = entry[1] ?? current
      const stamps = (entry[4] as string)
        .split(/, */)
        .filter((s) => /^\d+$/.test(s))
        .map(Number)
      // recent_seq_show prints IPv6 addresses with all their zeros
      const address = parseIp(entry[2] as string)?.text ?? (entry[2] as string)
      listOf(lists, name).set(address, stamps.length > 0 ? stamps : [Number(entry[3])])
    } else if (title) {
      current = title[1] as string
      listOf(lists, current)
    }
  }
  return lists
}

function listOf<V>(lists: Map<string, Map<string, V>>, name: string): Map<string, V> {
  let list = lists.get(name)
  if (!list) lists.set(name, (list = new Map()))
  return list
}

/** Whether a bridge shows its frames to iptables and nft (br_netfilter). */
import type { Source } from '../../kernel/source.ts'
import { bridgeNfCall, settingText } from '../../kernel/sysctl/effective.ts'
import type { Family } from '../../net/ip.ts'
import { type Run, Undecided } from '../run.ts'
import type { Port } from '../world.ts'

/** The answer, and the entry that gives it. */
export interface Calls {
  readonly calls: boolean
  readonly said: string
  readonly source?: Source
}

/**
 * The bridge's own switch or that of its network namespace (br_nf_pre_routing; ip-sysctl.rst). Without the module there is no such setting, and
 * nothing is called; that of Linux before 5.3 is seen in the first namespace only.
 */
export function callsNetfilter(run: Run, { place, link }: Port, family: Family): Calls {
  const { host, label } = place
  if (link.bridge?.nfCall[family])
    return { calls: true, said: `nf_call_${family === 4 ? 'iptables' : 'ip6tables'} of ${link.name} = 1`, source: link.source }
  const set = bridgeNfCall(host.sysctls, family)
  if (set) return { calls: set.value, said: settingText(set), source: set }
  if (!host.sysctls && host.kind === 'node')
    throw new Undecided(
      label,
      `${host.dir}/sysctl.txt is missing: whether ${link.name} of ${label} shows its frames to iptables is not known`,
    )
  const said = `br_netfilter is not loaded on ${label}`
  if (host.sysctls) run.assumptions.add(`${said}: its sysctl.txt has no net.bridge.*`)
  return { calls: false, said }
}

/** Runs scenarios in the emulated machine, which boot.sh starts for them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kernel } from '../fuzz/campaign.ts'
import { runCommand, speak } from '../fuzz/runner.ts'
import type { Observation, Scenario } from '../fuzz/scenario.ts'

const schedulers = ['rr', 'wrr', 'lc', 'wlc', 'sh', 'mh', 'dh', 'sed', 'nq', 'fo', 'ovf', 'lblc', 'lblcr'].map((s) => `ip_vs_${s}`)
/** loaded before the first namespace is made, as some give every namespace a device, and loading on demand costs a process each time */
const modules = [
  'ip_vs',
  ...schedulers,
  'ipip',
  'wireguard',
  'sctp',
  'dummy',
  'veth',
  'bridge',
  'vxlan',
  'nf_tables',
  'nft_compat',
  'ip_set',
]

/** limits on ICMP errors that are the first namespace's, for all */
const limits = ['icmp_msgs_per_sec=1000000', 'icmp_msgs_burst=100000', 'route.error_cost=0'].map((s) => `net.ipv4.${s}`)

export interface Pace {
  /** seconds of silence that count as a drop. A SYN that a slow machine lost is sent again after one and three seconds. */
  readonly patience?: number
  /** scenarios side by side on each of two processors */
  readonly batch?: number
}

/**
 * Observations in the order of the scenarios.
 * @param seconds all of the machine's time, its start aside
 */
export async function runInVm(
  scenarios: readonly Scenario[],
  seconds: number,
  { patience = 2.5, batch = 6 }: Pace = {},
): Promise<readonly Observation[]> {
  const share = mkdtempSync(join(tmpdir(), 'netctl-vm-'))
  const numbered = scenarios.map((s, i) => ({ ...s, name: String(i) }))
  const batches = Array.from({ length: Math.ceil(scenarios.length / batch) }, (_, i) => numbered.slice(i * batch, (i + 1) * batch))
  const script = `modprobe -a ${modules.join(' ')} && sysctl -qw ${limits.join(' ')} && exec ${runCommand(patience, 2).join(' ')}`
  try {
    const made = await speak([join(import.meta.dirname, 'boot.sh'), share, String(seconds), 'sh', '-c', script], batches)
    const byName = new Map(made.map((o) => [o.name, o]))
    return scenarios.map(({ name }, i) => ({ ...(byName.get(String(i)) ?? { error: 'not run' }), name }))
  } finally {
    rmSync(share, { recursive: true, force: true })
  }
}

/** The emulated machine for a campaign: one start for so many scenarios. */
export const emulatedKernel: Kernel = {
  run: (scenarios, again) => runInVm(scenarios, 60 + 40 * scenarios.length, again ? { patience: 0.95, batch: 4 } : {}),
  together: 24,
}

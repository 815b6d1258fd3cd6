/** Runs scenarios in the emulated machine, which boot.sh starts for them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

/** seconds of silence that count as a drop: less than it takes to send a lost SYN again */
const patience = 0.9

/**
 * Observations, as they were made: on two processors, a batch at a time on each.
 * @param seconds all of the machine's time, its start aside
 */
export async function runInVm(scenarios: readonly Scenario[], seconds: number, batch = 4): Promise<readonly Observation[]> {
  const share = mkdtempSync(join(tmpdir(), 'netctl-vm-'))
  const batches = Array.from({ length: Math.ceil(scenarios.length / batch) }, (_, i) => scenarios.slice(i * batch, (i + 1) * batch))
  const script = `modprobe -a ${modules.join(' ')} && exec ${runCommand(patience, 2).join(' ')}`
  try {
    return await speak([join(import.meta.dirname, 'boot.sh'), share, String(seconds), 'sh', '-c', script], batches)
  } finally {
    rmSync(share, { recursive: true, force: true })
  }
}

/** Loads rules into a network namespace without a name, and lists them again in both forms. */
import { spawnSync } from 'node:child_process'

export interface Listing {
  readonly json: string
  readonly text: string
}

const BETWEEN = '\n===== json =====\n'

export function nftReload(rules: string): Listing {
  const script = `ip link set lo up && nft -f /dev/stdin && nft list ruleset && printf '${BETWEEN.replaceAll('\n', '\\n')}' && nft -j list ruleset`
  const result = spawnSync('unshare', ['-n', 'sh', '-c', script], { input: rules, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (result.status !== 0) throw new Error(`nft refuses the rules: ${result.stderr.slice(0, 1000)}`)
  const [text = '', json = ''] = result.stdout.split(BETWEEN)
  return { text, json }
}

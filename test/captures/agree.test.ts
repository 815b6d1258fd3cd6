import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { captures as CAPTURES } from '../support/captures.ts'
import { needs } from '../support/needs.ts'
import { predict } from '../support/predict.ts'

/** Held against what real packets did, by the rules of shared/bench/agree.py and no others. */
const captures = [
  'vxlan-iptables',
  'bgp-legacy',
  'nft-nft',
  'crosssubnet-nft-dualstack',
  'terminating-iptables',
  'random-1',
  'random-2',
  'random-3',
  'random-4',
  'scale-iptables',
  'scale-iptables-10k',
  'scale-nftables',
  'broken-none-vxlan',
  'broken-none-bgp',
  'broken-admin-chain',
  'broken-bgp-session',
  'broken-dns-egress',
  'broken-etp-local',
  'broken-forward-drop',
  'broken-hep-ipv6-ndp',
  'broken-ip-forward',
  'broken-ipam-leak',
  'broken-missing-route',
  'broken-mtu',
  'broken-no-kube-proxy',
  'broken-rp-filter',
  'broken-stale-endpoints',
  'broken-veth-deleted',
  'broken-vxlan-down',
  'broken-ipvs-stale-server',
  'ipip-ipvs',
  'ipip-crosssubnet-ipvs-dualstack',
  'wireguard',
]

/**
 * Without the order of real servers `sh` picks cannot be told (`server_order_not_recorded`): any server may be the one of a client, and then of all
 * of its attempts, which the sum of drops over all flows does not allow for.
 */
const unordered = ['ipvs-schedulers']

describe.runIf(needs('captures', 'python3'))('agreement with recorded clusters', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'netctl-agree-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const agree = (name: string, show: number): { readonly said: string; readonly exit: number } => {
    const file = join(folder, `${name}.jsonl`)
    writeFileSync(
      file,
      `${predict(join(CAPTURES, name))
        .map((t) => JSON.stringify(t))
        .join('\n')}\n`,
    )
    try {
      return {
        said: execFileSync('python3', [join(CAPTURES, '../bench/agree.py'), join(CAPTURES, name), file, '--show', String(show)], {
          encoding: 'utf8',
          maxBuffer: 2 ** 28,
        }),
        exit: 0,
      }
    } catch (error) {
      const { stdout, status } = error as { stdout?: string; status?: number }
      return { said: stdout ?? String(error), exit: status ?? -1 }
    }
  }

  test.each(captures)('%s: every flow', (name) => {
    const { said, exit } = agree(name, 5)
    expect(exit, said).toBe(0)
    expect(said).toMatch(/ undecided 0 wrong 0$/m)
  })

  test.each(unordered)('%s: every flow', (name) => {
    const { said } = agree(name, 5)
    expect(said).toMatch(/ agree (\d+)\/\1 undecided 0 wrong 0$/m)
  })
})

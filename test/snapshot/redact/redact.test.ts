import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { contains, parseIp, parsePrefix } from '../../../src/net/ip.ts'
import { loadSnapshot } from '../../../src/snapshot/load.ts'
import { OBJECTS } from '../../../src/snapshot/redact/object-vocabulary.ts'
import { redact } from '../../../src/snapshot/redact/redact.ts'
import * as vocabulary from '../../../src/snapshot/redact/vocabulary.ts'
import { openStore } from '../../../src/snapshot/store.ts'
import type { FileSource } from '../../../src/system/files.ts'
import { openFolder } from '../../../src/system/files-folder.ts'
import { memoryFiles } from '../../../src/system/files-memory.ts'
import { traceFlow } from '../../../src/trace/trace.ts'
import type { Flow } from '../../../src/trace/types.ts'
import { captures } from '../../support/captures.ts'
import { needs } from '../../support/needs.ts'
import { asItIs, gist, renamedFlow, renaming } from '../../support/renamed.ts'

const NAMES = [
  'vxlan-iptables',
  'bgp-legacy',
  'nft-nft',
  'crosssubnet-nft-dualstack',
  'ipip-crosssubnet-ipvs-dualstack',
  'ipvs-schedulers',
  'wireguard',
  'terminating-iptables',
  'random-1',
  'random-2',
  'random-3',
  'random-4',
  'scale-nftables',
  'broken-hep-ipv6-ndp',
  'broken-ipvs-stale-server',
  'broken-stale-endpoints',
  'broken-missing-route',
  'broken-mtu',
]

/** not a random one: by chance, it may give an address that another host has in the original */
const key = Buffer.alloc(32, 7)

const FLOWS = 16

/** nft's JSON is read where there is no text */
const withoutText = (source: FileSource): FileSource => ({ ...source, files: source.files.filter((f) => !/\/nft\.txt(?:\.gz)?$/.test(f)) })

describe.runIf(needs('captures'))('redacted', () => {
  test.each([...NAMES, 'nft-nft, in JSON'])('%s: the same packets take the same ways, and nothing of the original can be read', (title) => {
    const [name = '', json] = title.split(', ')
    const whole = openFolder(join(captures, name))
    const folder = json === undefined ? whole : withoutText(whole)
    const { files, missing, words } = redact(folder, key)
    const texts = new Map(files)
    expect(missing).toEqual([expect.stringMatching(/^\d+ files left out, as nothing is known of names in such$/)])
    expectNothingReadable(texts, openStore(folder))

    const original = loadSnapshot(folder)
    const redacted = loadSnapshot(memoryFiles('redacted', texts))
    const to = renaming(words, original.cluster)
    const flows = readFileSync(join(captures, name, 'truth.jsonl'), 'utf8')
      .trim()
      .split('\n')
    const step = Math.max(1, Math.floor(flows.length / FLOWS))
    for (const [i, line] of flows.entries()) {
      if (i % step !== 0) continue
      const { from, proto, dst, port, payload, id } = JSON.parse(line)
      const flow: Flow = { from, proto, dst, ...(port && { port }), ...(payload && { payload }) }
      const expected = gist(traceFlow(original, flow), to)
      expect(gist(traceFlow(redacted, renamedFlow(flow, to)), asItIs), id).toEqual(expected)
    }
  })
})

const KEPT = '0.0.0.0/8 127.0.0.0/8 169.254.0.0/16 224.0.0.0/4 240.0.0.0/4 ::/64 ff00::/8 fe80::/64 fe80::ecee:eeff:feee:eeee/128'
  .split(' ')
  .map((p) => parsePrefix(p) as NonNullable<ReturnType<typeof parsePrefix>>)

/** Names that many clusters have in common, and words of dumps that are somebody's name here. */
const COMMON = new Set(
  [...Object.values(vocabulary), OBJECTS]
    .flatMap((words) => [...words])
    .concat(
      `default kube-system kube-public kube-node-lease kubernetes kube-dns kube-admin kube-baseline projectcalico-default-allow http https dns dns-tcp metrics
    kns.kube-system kns.default kns.kube-public kns.kube-node-lease pod tier role kind env external cluster end`.split(/\s+/),
    ),
)

/** Every name, label, address and MAC of the original is looked for in all that was written, paths too. */
function expectNothingReadable(texts: ReadonlyMap<string, string>, store: ReturnType<typeof openStore>): void {
  const secrets = new Set<string>()
  const add = (text: unknown): void => {
    if (typeof text === 'string' && text !== '' && !COMMON.has(text) && !/^[\d.]+$/.test(text) && text.length > 2) secrets.add(text)
  }
  for (const file of store.files) {
    const text = store.text(file) ?? ''
    for (const name of file
      .split('/')
      .slice(1, -1)
      .flatMap((part) => part.split('_')))
      add(name)
    for (const [word] of text.matchAll(/(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})(?![\w.:])/gi)) {
      const ip = parseIp(word)
      if (ip && !KEPT.some((range) => contains(range, ip))) secrets.add(word)
      if (/^(?!00:00|33:33|01:00|ff:ff|ee:ee:ee)(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(word)) secrets.add(word)
    }
    for (const [word] of text.matchAll(
      /cali[0-9a-f]{11}|KUBE-(?:SVC|SEP|EXT|FW)-[A-Z2-7]{16}|(?<=cali:)[\w-]{16}|(?<=peer: |public key: )\S{44}/g,
    ))
      secrets.add(word)
    if (!/^cluster\/[a-z0-9.-]+\.json/.test(file)) continue
    for (const item of JSON.parse(text).items) {
      add(item.metadata.name)
      add(item.metadata.uid)
      for (const [k, v] of Object.entries(item.metadata.labels ?? {})) {
        if (!k.includes('/') && k !== 'app' && k !== 'k8s-app') add(k)
        add(v)
      }
      for (const value of [item.spec?.nodeName, item.spec?.tier, ...(item.spec?.ports ?? []).map((p: { name?: string }) => p.name)])
        add(value)
    }
  }
  // chains of Services whose names all clusters have
  const same = /^KUBE-SVC-(?:ERIFXISQEP7F7OF4|JD5MR3NA4I4DYORP|NPX46M4PTMTKRN6Y|TCOU7JCQXEZGVUNU)$/
  const found: string[] = []
  for (const [file, text] of texts) {
    for (const [word] of `${file}\n${text}`.matchAll(/[A-Za-z0-9_.:=+/-]*[A-Za-z0-9_=]/g)) {
      const parts = [word, ...word.split(/[:/=_]/), ...word.split('.'), word.replace(/[:/]\w+$/, ''), word.replace(/^cali:/, '')]
      for (const part of parts) if (secrets.has(part) && !same.test(part)) found.push(`${file}: ${part}`)
    }
  }
  expect([...new Set(found)]).toEqual([])
}

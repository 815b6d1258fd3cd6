import type { Versions } from './types.ts'

/** Reads versions.txt, a file of free lines: what is recognised is picked out, the rest is for people. */
export function parseVersions(text: string, file: string): Versions {
  let iptablesBackend: Versions['iptablesBackend']
  let kernel: string | undefined
  let kubeProxy: Versions['kubeProxy']
  let calico: Versions['calico']
  for (const [i, line] of text.split('\n', 1000).entries()) {
    const backend = /^iptables backend in use: (legacy|nft)\b/.exec(line) ?? /^iptables v\S+ \((legacy|nf_tables)\)/.exec(line)
    if (backend) iptablesBackend ??= backend[1] === 'legacy' ? 'legacy' : 'nft'
    const proxy = /^kube-proxy (\S+)(?: mode=(\S*))?(?: args=(.*))?$/.exec(line)
    if (proxy) kubeProxy = { version: proxy[1] as string, mode: proxy[2] ?? '', args: proxy[3] ?? '', line: i + 1 }
    if (/^calico\b/i.test(line)) calico ??= { version: /\bv\d+\.\d+[^\s()]*/.exec(line)?.[0] ?? line.slice(0, 200), line: i + 1 }
    if (/^(?:Linux (?:version )?)?\d+\.\d+\.\d+\S*$/.test(line)) kernel ??= line.replace(/^Linux (?:version )?/, '')
  }
  return {
    file,
    text,
    ...(iptablesBackend && { iptablesBackend }),
    ...(kernel && { kernel }),
    ...(kubeProxy && { kubeProxy }),
    ...(calico && { calico }),
  }
}

import type { KubeConfig } from '@kubernetes/client-node'
import { NetctlError } from '../error.ts'
import { nearest } from '../nearest.ts'
import { listedKubeconfigs } from '../system/kubeconfig-files.ts'

export interface OpenContext {
  /** with the context as the current one */
  readonly config: KubeConfig
  readonly name: string
  readonly namespace: string | undefined
}

/**
 * A context of a kubeconfig. `file`: else KUBECONFIG, else ~/.kube/config, as kubectl looks for it; `context`: else the current one.
 * Throws NetctlError KUB001 (unreadable), KUB002 (no such context).
 */
export async function openContext(file: string | undefined, context: string | undefined): Promise<OpenContext> {
  const name = nameOf(file)
  const config = await load(file)
  const wanted = context ?? config.getCurrentContext()
  const found = config.getContextObject(wanted)
  if (found) {
    config.setCurrentContext(wanted)
    return { config, name: wanted, namespace: found.namespace }
  }
  const near = nearest(
    wanted,
    config.getContexts().map((c) => c.name),
  )
  throw new NetctlError({
    code: 'KUB002',
    message: wanted ? `${name} has no context ${wanted}` : `${name} has no current context`,
    try: near.length > 0 ? `--context ${near.join(', or --context ')}` : 'kubectl config get-contexts',
  })
}

/** Names of all contexts of a kubeconfig, found as above. Throws NetctlError KUB001. */
export async function contextNames(file: string | undefined): Promise<readonly string[]> {
  return (await load(file)).getContexts().map(({ name }) => name)
}

const nameOf = (file: string | undefined): string => file ?? 'the kubeconfig'

async function load(file: string | undefined): Promise<KubeConfig> {
  // 400 ms to load: only who asks for a kubeconfig pays
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  const listed = listedKubeconfigs()
  let at = file
  const read = (path: string): KubeConfig => {
    at = path
    const one = new KubeConfig()
    one.loadFromFile(path)
    return one
  }
  try {
    if (file === undefined && listed.length === 0) config.loadFromDefault()
    else merge(config, (file === undefined ? listed : [file]).map(read))
    return config
  } catch (cause) {
    throw new NetctlError({
      code: 'KUB001',
      message: `${nameOf(at)} can't be read: ${cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause)}`,
      try: 'another --kubeconfig; without one, KUBECONFIG and then ~/.kube/config are read',
      cause,
    })
  }
}

/**
 * Several as one, as kubectl does it: of entries of one name, and of current contexts, the first counts (client-go, ClientConfigLoadingRules.Load).
 * The library's own way takes the last current context, and refuses a name that two files have.
 */
function merge(into: KubeConfig, all: readonly KubeConfig[]): void {
  const first = <T extends { readonly name: string }>(entries: readonly T[]): T[] => [
    ...new Map(entries.toReversed().map((entry) => [entry.name, entry])).values(),
  ]
  into.loadFromOptions({
    clusters: first(all.flatMap((c) => c.getClusters())),
    users: first(all.flatMap((c) => c.getUsers())),
    contexts: first(all.flatMap((c) => c.getContexts())),
    currentContext: all.map((c) => c.getCurrentContext()).find(Boolean),
  })
}

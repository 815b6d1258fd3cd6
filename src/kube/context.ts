import { ExitCode, NetctlError } from '../error.ts'
import { nearest } from '../nearest.ts'

/**
 * The namespace of a kubeconfig context, undefined if the context names none. `file`: else KUBECONFIG, else ~/.kube/config,
 * as kubectl looks for it; `context`: else the current one.
 */
export async function contextNamespace(file: string | undefined, context: string | undefined): Promise<string | undefined> {
  // 400 ms to load: only who asks for a kubeconfig pays
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  const name = file ?? 'the kubeconfig'
  try {
    if (file === undefined) config.loadFromDefault()
    else config.loadFromFile(file)
  } catch (cause) {
    throw new NetctlError({
      code: 'KUB001',
      message: `${name} can't be read: ${cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause)}`,
      try: 'check --kubeconfig, or say the namespace with -n',
      exitCode: ExitCode.usage,
      cause,
    })
  }
  const wanted = context ?? config.getCurrentContext()
  const found = config.getContextObject(wanted)
  if (found) return found.namespace
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

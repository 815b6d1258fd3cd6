import { openContext } from './kubeconfig.ts'

/** The namespace of a kubeconfig context, undefined if the context names none. Throws NetctlError KUB001, KUB002. */
export async function contextNamespace(file: string | undefined, context: string | undefined): Promise<string | undefined> {
  return (await openContext(file, context)).namespace
}

/** Names of the contexts that kubectl would know, the current one first; none where there is no kubeconfig that can be read. */
export async function contextNames(): Promise<readonly string[]> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  try {
    config.loadFromDefault()
  } catch {
    return []
  }
  // without any file the client invents one
  const names = config
    .getContexts()
    .map((context) => context.name)
    .filter((name) => name !== 'loaded-context')
  const current = config.getCurrentContext()
  return names.sort((a, b) => Number(b === current) - Number(a === current))
}

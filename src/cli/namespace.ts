export interface NamespaceFlags {
  readonly namespace?: string | undefined
  readonly context?: string | undefined
  readonly kubeconfig?: string | undefined
}

/**
 * The namespace of names that give none: `-n`; else that of the kubeconfig context, if one was asked for; else `default`.
 * A recorded snapshot has nothing to do with the kubeconfig that happens to lie on this machine, so it is not read unasked.
 */
export async function resolveNamespace(flags: NamespaceFlags): Promise<string> {
  if (flags.namespace !== undefined) return flags.namespace
  if (flags.context === undefined && flags.kubeconfig === undefined) return 'default'
  const { contextNamespace } = await import('../kube/context.ts')
  return (await contextNamespace(flags.kubeconfig, flags.context)) ?? 'default'
}

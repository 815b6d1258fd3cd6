import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Where a pod finds the credentials of its service account. */
const IN_CLUSTER = '/var/run/secrets/kubernetes.io/serviceaccount/token'

/** The files that KUBECONFIG lists: those of them that are there, as kubectl passes over others, or all if none is. */
export function listedKubeconfigs(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const named = (env.KUBECONFIG ?? '').split(delimiter).filter(Boolean)
  const there = named.filter((file) => existsSync(file))
  return there.length > 0 ? there : named
}

/** Is there a kubeconfig where kubectl looks for one, or are we in a pod that may ask its cluster? Nothing is read. */
export function hasKubeconfig(env: NodeJS.ProcessEnv = process.env): boolean {
  const named = listedKubeconfigs(env)
  if (named.length > 0) return named.some((file) => existsSync(file))
  return existsSync(join(env.HOME ?? homedir(), '.kube', 'config')) || (env.KUBERNETES_SERVICE_HOST !== undefined && existsSync(IN_CLUSTER))
}

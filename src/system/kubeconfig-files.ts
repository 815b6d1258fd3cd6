import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Where a pod finds the credentials of its service account. */
const IN_CLUSTER = '/var/run/secrets/kubernetes.io/serviceaccount/token'

/** Is there a kubeconfig where kubectl looks for one, or are we in a pod that may ask its cluster? Nothing is read. */
export function hasKubeconfig(env: NodeJS.ProcessEnv = process.env): boolean {
  const named = (env.KUBECONFIG ?? '').split(delimiter).filter(Boolean)
  if (named.length > 0) return named.some((file) => existsSync(file))
  return existsSync(join(env.HOME ?? homedir(), '.kube', 'config')) || (env.KUBERNETES_SERVICE_HOST !== undefined && existsSync(IN_CLUSTER))
}

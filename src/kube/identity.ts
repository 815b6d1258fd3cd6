import { createHash } from 'node:crypto'
import type { OpenContext } from './kubeconfig.ts'

/** What tells this cluster, as seen by this user, from any other: a hash of both entries of the kubeconfig, which gives away nothing of them. */
export function identityOf({ config }: OpenContext): string {
  const entries = JSON.stringify([config.getCurrentCluster(), config.getCurrentUser()])
  return createHash('sha256').update(entries).digest('hex').slice(0, 32)
}

import type { Resource } from '../cluster/manifest/kinds.ts'
import { openContext } from './kubeconfig.ts'
import { type Allowed, type Live, listAllowed, listObjects } from './list-objects.ts'
import { openRequests } from './requests.ts'

/** Everything that policies need of the cluster of a context, with the context's name. Throws NetctlError KUB001 to KUB007. */
export async function readCluster(kubeconfig: string | undefined, context: string | undefined): Promise<Live & { readonly name: string }> {
  const open = await openContext(kubeconfig, context)
  return { name: open.name, ...(await listObjects(await openRequests(open))) }
}

/** Objects of these kinds, as far as the rights reach. Throws NetctlError KUB001 to KUB007. */
export async function readAllowed(
  kubeconfig: string | undefined,
  context: string | undefined,
  resources: readonly Resource[],
): Promise<Allowed & { readonly name: string }> {
  const open = await openContext(kubeconfig, context)
  return { name: open.name, ...(await listAllowed(await openRequests(open), resources)) }
}

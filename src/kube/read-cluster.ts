import { openContext } from './kubeconfig.ts'
import { type Live, listObjects } from './list-objects.ts'
import { openRequests } from './requests.ts'

/** Everything that policies need of the cluster of a context, with the context's name. Throws NetctlError KUB001 to KUB007. */
export async function readCluster(kubeconfig: string | undefined, context: string | undefined): Promise<Live & { readonly name: string }> {
  const open = await openContext(kubeconfig, context)
  return { name: open.name, ...(await listObjects(await openRequests(open))) }
}

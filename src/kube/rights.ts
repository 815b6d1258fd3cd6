import { rec } from '../cluster/items.ts'
import type { Ask } from './requests.ts'

/** What RBAC allows or not: a verb on a resource. */
export interface Right {
  readonly verb: string
  /** `pods`, `pods/exec`, `jobs.batch` */
  readonly resource: string
  /** all of them if absent, or none for what is of the cluster */
  readonly namespace?: string
}

/** `create pods/exec in kube-system` */
export const rightText = ({ verb, resource, namespace }: Right): string =>
  `${verb} ${resource}${namespace === undefined ? '' : ` in ${namespace}`}`

/** The command that says whether one has it. */
export function canI({ verb, resource, namespace }: Right): string {
  const [name, subresource] = resource.split('/')
  return `kubectl auth can-i ${verb} ${name}${subresource === undefined ? '' : ` --subresource=${subresource}`} ${namespace === undefined ? '-A' : `-n ${namespace}`}`
}

/** Those of the rights that the cluster says we lack. Where it can't be asked, none: the refusal itself will tell. Throws NetctlError KUB004, KUB005. */
export async function lacking(ask: Ask, rights: readonly Right[]): Promise<readonly Right[]> {
  const denied = await Promise.all(rights.map(async (right) => ((await isDenied(ask, right)) ? [right] : [])))
  return denied.flat()
}

/** authorization.k8s.io/v1 SelfSubjectAccessReview, which every authenticated user may create (system:basic-user) */
async function isDenied(ask: Ask, { verb, resource, namespace }: Right): Promise<boolean> {
  const [qualified = '', subresource] = resource.split('/')
  const [name, ...group] = qualified.split('.')
  const { status, body } = await ask('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    method: 'POST',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb, resource: name, subresource, group: group.join('.'), namespace } },
    },
  })
  return status === 201 && rec(rec(body).status).allowed !== true
}

import { rec } from '../cluster/items.ts'
import type { Ask } from './requests.ts'

/** What RBAC allows or not: a verb on a resource. */
export interface Right {
  readonly verb: string
  /** none for the core group */
  readonly group?: string
  /** `pods`, `pods/exec` */
  readonly resource: string
  /** all of them if absent, or none for what is of the cluster */
  readonly namespace?: string
  /** of one object; of all if absent */
  readonly name?: string
}

/** `jobs.batch` */
const qualified = ({ group, resource }: Right): string => (group === undefined ? resource : `${resource}.${group}`)

/** `create pods/exec in kube-system` */
export const rightText = (right: Right): string =>
  `${right.verb} ${qualified(right)}${right.namespace === undefined ? '' : ` in ${right.namespace}`}`

/** The command that says whether one has it. */
export function canI({ verb, namespace, ...right }: Right): string {
  const [name, subresource] = qualified({ verb, ...right }).split('/')
  return `kubectl auth can-i ${verb} ${name}${subresource === undefined ? '' : ` --subresource=${subresource}`} ${namespace === undefined ? '-A' : `-n ${namespace}`}`
}

/** Those of the rights that the cluster says we lack. Where it can't be asked, none: the refusal itself will tell. Throws NetctlError KUB004, KUB005. */
export async function lacking(ask: Ask, rights: readonly Right[]): Promise<readonly Right[]> {
  const denied = await Promise.all(rights.map(async (right) => ((await isDenied(ask, right)) ? [right] : [])))
  return denied.flat()
}

/** authorization.k8s.io/v1 SelfSubjectAccessReview, which every authenticated user may create (system:basic-user) */
async function isDenied(ask: Ask, { verb, group, resource, namespace, name }: Right): Promise<boolean> {
  const [plural, subresource] = resource.split('/')
  const { status, body } = await ask('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    method: 'POST',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb, group, resource: plural, subresource, namespace, name } },
    },
  })
  return status === 201 && rec(rec(body).status).allowed !== true
}

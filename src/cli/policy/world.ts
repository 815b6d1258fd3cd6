import { positionOf } from '../../cluster/manifest/position.ts'
import { expectWhole } from '../../cluster/manifest/read.ts'
import type { Manifest, ManifestObject } from '../../cluster/manifest/types.ts'
import { NetctlError } from '../../error.ts'
import { buildWorld, type Loaded } from '../../policy/build.ts'
import { isInMatrix } from '../../policy/matrix/matrix.ts'
import type { ResourceProblem } from '../../policy/resources/problem.ts'
import { readResource } from '../../policy/resources/read.ts'
import type { Endpoint, PolicyWorld } from '../../policy/world.ts'
import { sanitize } from '../../report/sanitize.ts'

export interface LoadedWorld {
  readonly world: PolicyWorld
  /** what it was made of */
  readonly loaded: readonly Loaded[]
  /** what the API would refuse, one for each reason: left out of the world, as it would be of a cluster */
  readonly refused: readonly NetctlError[]
}

/** The world that an input describes, without what the API server or Calico would refuse. */
export function loadWorld(input: Manifest): LoadedWorld {
  const loaded: Loaded[] = []
  const refused: NetctlError[] = [...input.refused]
  for (const object of input.objects) {
    const read = readResource(object)
    if (read.kind === 'resource') loaded.push({ object, resource: read.resource })
    else if (read.kind === 'refused') refused.push(...read.problems.map((problem) => refusal(object, problem)))
  }
  return { world: buildWorld(loaded), loaded, refused }
}

/** The same, for questions that must be about all that was given: throws NetctlError for the first reason, with the others beside it. */
export function wholeWorld(input: Manifest): PolicyWorld {
  const { world, refused } = loadWorld(input)
  expectWhole({ ...input, refused })
  return world
}

/** Questions about all pairs need somebody. Throws PWH004 where nobody is left: policies alone say nothing of who may connect. */
export function expectSomebody(endpoints: readonly Endpoint[], where: string): void {
  if (endpoints.some(isInMatrix)) return
  throw new NetctlError({
    code: 'PWH004',
    message: `no pod and no workload is ${where}: nobody is there whom policies could be about`,
    try: 'name their manifests too, with -f, or a snapshot that has them',
  })
}

function refusal(object: ManifestObject, { path, field, message, hint }: ResourceProblem): NetctlError {
  const { file, line } = positionOf(object, path)
  const name = `${object.kind} ${object.namespace === undefined ? '' : `${object.namespace}/`}${object.name}`
  return new NetctlError({
    code: 'POL001',
    message: `${name}: ${field === '' ? '' : `${field}: `}${message}`,
    try: hint ?? 'mend it: the API would refuse it',
    file,
    line,
  })
}

/** `db.yaml:14: NetworkPolicy shop/db: spec.ingress[0].ports[0].port: must be …` */
export const refusalLine = ({ file, line, message, code }: NetctlError): string =>
  sanitize(`${file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}: `}${message} (${code})`)

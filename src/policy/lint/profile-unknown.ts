import type { Check } from './finding.ts'

/** Built in (api/pkg/apis/projectcalico/v3). */
const DEFAULT_ALLOW = 'projectcalico-default-allow'

export const profileUnknown: Check = {
  code: 'LNT023',
  severity: 'warning',
  title: 'A host endpoint lists a profile that does not exist',
  *find({ loaded }) {
    const known = new Set(loaded.flatMap(({ resource }) => (resource.kind === 'Profile' ? resource.metadata.name : [])))
    for (const { resource, object } of loaded) {
      if (resource.kind !== 'HostEndpoint') continue
      for (const [i, name] of resource.profiles.entries()) {
        if (known.has(name) || name === DEFAULT_ALLOW || /^k(ns|sa)\./.test(name)) continue
        yield {
          at: { object, path: ['spec', 'profiles', i] },
          message: `profile ${name} of HostEndpoint ${resource.metadata.name} is not in the input: a profile that does not exist denies`,
          fix: 'add the Profile, or name projectcalico-default-allow',
        }
      }
    }
  },
}

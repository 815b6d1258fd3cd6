import type { Check } from './finding.ts'

export const profileUnknown: Check = {
  code: 'LNT023',
  severity: 'warning',
  title: 'A host endpoint lists a profile that does not exist',
  *find({ loaded, world }) {
    for (const { resource, object } of loaded) {
      if (resource.kind !== 'HostEndpoint') continue
      for (const [i, name] of resource.profiles.entries()) {
        if (world.profiles.has(name) || /^k(ns|sa)\./.test(name)) continue
        yield {
          at: { object, path: ['spec', 'profiles', i] },
          message: `profile ${name} of HostEndpoint ${resource.metadata.name} is not in the input: a profile that does not exist denies`,
          fix: 'add the Profile, or name projectcalico-default-allow',
        }
      }
    }
  },
}

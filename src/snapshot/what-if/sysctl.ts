/** `--sysctl KEY=VALUE@HOST`: as if the setting had been written on the host. */
import { NetctlError } from '../../error.ts'
import { dotted } from '../../kernel/sysctl/parse.ts'
import { written } from '../../kernel/sysctl/write.ts'
import { replaced } from '../../lazy.ts'
import { nearest } from '../../nearest.ts'
import type { Change, Changed, Host, Snapshot, Sysctls } from '../types.ts'
import { hostsNamed, labelOf, withHosts } from './change.ts'

/** The snapshot with a setting changed; `said`: the flag's value. @throws NetctlError if it is none, or of no host of the snapshot */
export function withSysctl(snapshot: Snapshot, said: string): Changed {
  const flag = `--sysctl ${said}`
  const [, name = '', value = '', where = ''] = /^([^=\s]+)\s*=\s*(-?\d{1,10})\s*@([^@]+)$/.exec(said) ?? []
  if (where === '')
    throw new NetctlError({ code: 'WHF002', message: `${flag}: not KEY=NUMBER@HOST`, try: "--sysctl 'net.ipv4.ip_forward=0@n2'" })
  const key = dotted(name)
  const changes: Change[] = []
  const hosts = hostsNamed(snapshot, where, flag).map((host) => {
    const keys = keysOf(host, key, flag)
    const vs = key.startsWith('net.ipv4.vs.')
    if (vs && !host.ipvs)
      throw new NetctlError({ code: 'WHF003', message: `${flag}: ${labelOf(host)} has no dump of IPVS`, try: 'name a host that has' })
    const before = vs ? host.ipvs?.sysctls : host.sysctls
    changes.push(changeOf(snapshot, host, key, value, before))
    const after = overlay(before, keys, value, host)
    return replaced(host, vs && host.ipvs ? { ipvs: { ...host.ipvs, sysctls: after } } : { sysctls: after })
  })
  return { snapshot: withHosts(snapshot, hosts), changes }
}

/** Every key that changes with it, on this host. */
function keysOf({ links, kind, name }: Host, key: string, flag: string): readonly string[] {
  const devices = (links ?? []).map((l) => l.name)
  const result = written(key, devices)
  const fail = (message: string, advice: string): never => {
    throw new NetctlError({ code: 'WHF003', message: `${flag}: ${message}`, try: advice })
  }
  switch (result.kind) {
    case 'keys':
      return result.keys
    case 'no-device': {
      const near = nearest(result.device, devices)
      return fail(`${kind}/${name} has no device ${result.device}`, `${(near.length > 0 ? near : devices.slice(0, 8)).join(', ')}, or all`)
    }
    case 'default':
      return fail('which devices follow conf.default is not known', 'name the device, or all')
    case 'unread': {
      const near = nearest(key, result.known)
      return fail(`what ${key} changes is not followed`, (near.length > 0 ? near : result.known).join(', '))
    }
  }
}

function changeOf(snapshot: Snapshot, host: Host, key: string, value: string, before: Sysctls | undefined): Change {
  const today = before?.get(key)
  return {
    kind: 'sysctl',
    node: labelOf(host),
    what: `${key} = ${value}`,
    was: today?.value ?? 'not recorded',
    ...(before &&
      today &&
      today.line > 0 && { evidence: { file: before.file, line: today.line, text: snapshot.line(before.file, today.line) } }),
  }
}

/** The settings of a dump, with others in place of some: those stand on no line. */
function overlay(before: Sysctls | undefined, keys: readonly string[], value: string, host: Host): Sysctls {
  const own = new Map(keys.map((key) => [key, { value, line: 0 }]))
  return {
    file: before?.file ?? `${host.dir}/sysctl.txt`,
    size: (before?.size ?? 0) + own.size,
    get: (key) => own.get(key) ?? before?.get(key),
  }
}

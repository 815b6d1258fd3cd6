import * as v from 'valibot'
import { parsePrefix } from '../../net/ip.ts'
import { calicoNet } from './cidr.ts'
import { checkAnnotations } from './metadata.ts'
import { dnsSubdomain, portName } from './names.ts'
import { type Fields, type FieldsCheck, fields, integer, list, oneOf, optional, type Say, text, texts } from './schema.ts'
import { selector } from './selector.ts'

/* A rule of Calico's policies and profiles, checked as libcalico-go/lib/validator/v3 and the CEL rules of its resource definitions do. */

/** Absent fields are no criterion; all that are given must hold. Selectors that are not given, or empty, are undefined. `protocol` and `notProtocol` are IP protocol numbers. */
export type CalicoRule = Fields<typeof ruleFields>
export type CalicoPort =
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  | { readonly kind: 'named'; readonly name: string }

/** Names that Calico knows; any case but theirs is refused. */
const PROTOCOLS: Readonly<Record<string, number>> = { TCP: 6, UDP: 17, ICMP: 1, ICMPv6: 58, SCTP: 132, UDPLite: 136 }

export const calicoProtocol: v.GenericSchema<unknown, number> = v.pipe(
  v.unknown(),
  v.rawTransform<unknown, number>(({ dataset, addIssue, NEVER }) => {
    const input = dataset.value
    const named = typeof input === 'string' && Object.hasOwn(PROTOCOLS, input) ? PROTOCOLS[input] : undefined
    if (named !== undefined) return named
    const number = typeof input === 'string' && /^\d{1,3}$/.test(input) ? Number(input) : input
    if (typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= 255) return number
    const right = typeof input === 'string' ? Object.keys(PROTOCOLS).find((name) => name.toLowerCase() === input.toLowerCase()) : undefined
    addIssue({
      message: `must be ${Object.keys(PROTOCOLS).join(', ')} or a number from 1 to 255, not ${JSON.stringify(input)?.slice(0, 60)}`,
      ...(right && { expected: `write ${right}` }),
    })
    return NEVER
  }),
)

/** With port numbers: TCP, UDP, SCTP. */
export const hasPorts = (protocol: number): boolean => protocol === 6 || protocol === 17 || protocol === 132

/** A number, `"a:b"`, or the name of a port. */
const calicoPort: v.GenericSchema<unknown, CalicoPort> = v.pipe(
  v.union([v.number(), v.string()], () => 'must be a port number, a range "a:b" or a port name'),
  v.rawTransform<number | string, CalicoPort>(({ dataset, addIssue, NEVER }) => {
    const port = readPort(dataset.value)
    if (typeof port !== 'string') return port
    const dash = /^(\d+)-(\d+)$/.exec(String(dataset.value))
    addIssue({ message: port, ...(dash && { expected: `write "${dash[1]}:${dash[2]}"` }) })
    return NEVER
  }),
)

function readPort(input: number | string): CalicoPort | string {
  const [, first, last] = /^(\d+)(?::(\d+))?$/.exec(String(input)) ?? []
  if (first === undefined) {
    if (typeof input === 'number') return `must be a port from 1 to 65535, not ${input}`
    return portName(input) ?? { kind: 'named', name: input }
  }
  const from = Number(first)
  const to = Number(last ?? first)
  for (const port of [from, to]) if (port < 1 || port > 65535) return `must be a port from 1 to 65535, not ${port}`
  if (from > to) return `range ${input} begins after its end`
  return { kind: 'range', from, to }
}

const icmp = fields({ type: optional(integer(0, 254)), code: optional(integer(0, 255)) }, ({ type, code }, say) => {
  if (code !== undefined && type === undefined) say(['code'], 'needs a type')
})

const services = fields({
  name: text((name) => (name === '' ? 'is required' : dnsSubdomain(name))),
  namespace: optional(text(namespaceName)),
})

/** Empty is the policy's own. */
function namespaceName(name: string): string | undefined {
  return name === '' ? undefined : dnsSubdomain(name)
}

const entityRule = fields(
  {
    nets: optional(list(text(calicoNet), { max: 256 }), []),
    notNets: optional(list(text(calicoNet), { max: 256 }), []),
    selector: optional(selector()),
    notSelector: optional(selector('anywhere')),
    namespaceSelector: optional(selector('alone')),
    serviceAccounts: optional(
      fields({ names: optional(list(text()), []), selector: optional(selector('anywhere', Number.POSITIVE_INFINITY)) }),
    ),
    services: optional(services),
    ports: optional(list(calicoPort, { max: 50 }), []),
    notPorts: optional(list(calicoPort, { max: 50 }), []),
  },
  ...(['selector', 'notSelector', 'namespaceSelector', 'serviceAccounts', 'nets', 'notNets'] as const).map((field) => ({
    of: ['services', field] as const,
    check(entity: EntityFields, say: Say) {
      const given = entity[field]
      if (entity.services !== undefined && given !== undefined && !(Array.isArray(given) && given.length === 0))
        say([field], 'must not stand beside services', 'make it a rule of its own')
    },
  })),
)

type EntityFields = { readonly services?: unknown } & {
  readonly [field in 'selector' | 'notSelector' | 'namespaceSelector' | 'serviceAccounts' | 'nets' | 'notNets']?: unknown
}

/** Paths of HTTP requests (RFC 3986 §3.3): without query or fragment. */
const httpPath = fields({ exact: optional(text()), prefix: optional(text()) }, ({ exact, prefix }, say) => {
  const path = exact || prefix
  if (exact && prefix) say([], 'must have one of exact and prefix, not both')
  else if (!path) say([], 'must have exact or prefix')
  else if (!path.startsWith('/') || /[? #]/.test(path))
    say([exact ? 'exact' : 'prefix'], 'must begin with "/" and have no "?", "#" or space')
  else if (path.length > 1024) say([exact ? 'exact' : 'prefix'], `has ${path.length} characters, at most 1024 are allowed`)
})

const httpMatch = fields({
  methods: optional(
    list(text(), { max: 20 }, (methods, say) => {
      for (const [i, method] of methods.entries()) if (methods.indexOf(method) < i) say([i], `${method} is there twice`)
    }),
    [],
  ),
  paths: optional(list(httpPath, { max: 20 }), []),
})

const ruleFields = {
  action: oneOf(['Allow', 'Deny', 'Log', 'Pass']),
  ipVersion: optional(oneOf([4, 6])),
  protocol: optional(calicoProtocol),
  notProtocol: optional(calicoProtocol),
  icmp: optional(icmp),
  notICMP: optional(icmp),
  source: optional(entityRule, {}),
  destination: optional(entityRule, {}),
  http: optional(httpMatch),
  metadata: optional(fields({ annotations: optional(texts(checkAnnotations), {}) })),
}

const TCP = 6

const checks: readonly FieldsCheck<CalicoRule>[] = [
  { of: ['protocol', 'source', 'destination'], check: checkPorts },
  { of: ['icmp', 'protocol', 'notProtocol', 'ipVersion'], check: checkIcmp },
  { of: ['ipVersion', 'source', 'destination'], check: checkFamilies },
  {
    of: ['destination'],
    check({ destination: { services, ports, notPorts } }, say) {
      if (services && ports.length > 0) say(['destination', 'ports'], 'must not stand beside services, which bring their ports')
      if (services && notPorts.length > 0) say(['destination', 'notPorts'], 'must not stand beside services, which bring their ports')
    },
  },
  {
    of: ['http', 'action'],
    check({ http, action }, say) {
      if (http && action !== 'Allow') say(['http'], `is only for rules with action Allow, not ${action}`)
    },
  },
  {
    of: ['http', 'protocol'],
    check({ http, protocol }, say) {
      if (http && protocol !== undefined && protocol !== TCP) say(['protocol'], 'must be TCP, or left out, in a rule with http')
    },
  },
]

/** A rule of a profile. */
export const calicoRule = fields(ruleFields, ...checks)

/** A rule of a policy: Services are matched where the peer is, HTTP only where requests come in. `global`: it has no namespace of its own. */
export function policyRule(direction: 'ingress' | 'egress', global: boolean) {
  const [peer, own] = direction === 'ingress' ? (['source', 'destination'] as const) : (['destination', 'source'] as const)
  return fields(
    ruleFields,
    ...checks,
    {
      of: [own],
      check(rule, say) {
        if (rule[own].services) say([own, 'services'], `is only for the ${peer} of an ${direction} rule`)
      },
    },
    {
      of: [peer],
      check(rule, say) {
        const { services } = rule[peer]
        if (global && services && !services.namespace)
          say([peer, 'services', 'namespace'], 'is required in a global policy, which has no namespace of its own')
      },
    },
    {
      of: ['http'],
      check({ http }, say) {
        if (http && direction === 'egress') say(['http'], 'is only for ingress rules')
      },
    },
  )
}

function checkPorts(rule: CalicoRule, say: Say): void {
  for (const end of ['source', 'destination'] as const) {
    for (const field of ['ports', 'notPorts'] as const) {
      const ports = rule[end][field]
      const hint = 'write one rule for each protocol'
      if (rule.protocol === undefined) {
        const numeric = ports.findIndex((port) => port.kind === 'range')
        if (numeric >= 0) say([end, field, numeric], 'needs protocol TCP, UDP or SCTP in the rule', hint)
      } else if (ports.length > 0 && !hasPorts(rule.protocol))
        say([end, field], 'needs protocol TCP, UDP or SCTP in the rule: others have no ports', hint)
    }
  }
}

const ICMP = 1
const ICMPV6 = 58

function checkIcmp({ icmp, protocol, notProtocol, ipVersion }: CalicoRule, say: Say): void {
  if (icmp && protocol !== ICMP && protocol !== ICMPV6) say(['icmp'], 'needs protocol ICMP or ICMPv6 in the rule')
  if (ipVersion === undefined) return
  for (const one of [protocol, notProtocol]) {
    if (one === ICMP && ipVersion !== 4) say(['ipVersion'], 'must be 4 with protocol ICMP')
    if (one === ICMPV6 && ipVersion !== 6) say(['ipVersion'], 'must be 6 with protocol ICMPv6')
  }
}

/** All CIDRs of a rule are of one family, that of ipVersion. */
function checkFamilies(rule: CalicoRule, say: Say): void {
  let first: { readonly family: number; readonly net: string } | undefined
  for (const end of ['source', 'destination'] as const) {
    for (const field of ['nets', 'notNets'] as const) {
      for (const [i, net] of rule[end][field].entries()) {
        const cidr = parsePrefix(net)
        if (!cidr) continue
        const { family } = cidr.ip
        first ??= { family, net }
        if (rule.ipVersion !== undefined && family !== rule.ipVersion) say([end, field, i], `${net} is not of ipVersion ${rule.ipVersion}`)
        else if (family !== first.family)
          say([end, field, i], `${net} is not of the family of ${first.net}: a rule holds one`, 'write one rule for each family')
        if (field === 'notNets' && cidr.length === 0) say([end, field, i], `${net} is everything: a rule that excludes it matches nothing`)
      }
    }
  }
}

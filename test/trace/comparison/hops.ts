/** Stretches of the way from pod/shop/client on n1 to pod/shop/web-1 beside it or pod/shop/web-2 on n2, as Calico and kube-proxy program them. */
import type { Hop } from '../../../src/trace/types.ts'
import { type Book, cali } from './fixture.ts'

export const out = (b: Book): readonly Hop[] => [
  b.entry('pod/shop/client', 'route', 'route', 'default via 169.254.1.1 dev eth0'),
  b.entry('pod/shop/client', 'device', 'eth0', 'to n1 by cali1'),
]
export const egress = (b: Book): readonly Hop[] => [
  b.rule('n1', 'filter', `-A FORWARD ${cali} -j cali-FORWARD`),
  b.rule('n1', 'filter', `-A cali-from-wl-dispatch -i cali1 ${cali} -g cali-fw-cali1`),
  b.rule('n1', 'filter', `-A cali-fw-cali1 ${cali} -j cali-pro-kns.shop`),
  b.rule('n1', 'filter', `-A cali-pro-kns.shop ${cali} -j MARK --set-xmark 0x10000/0x10000`, { object: 'profile/kns.shop' }),
  b.rule(
    'n1',
    'filter',
    `-A cali-fw-cali1 ${cali} -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN`,
  ),
]
const ingress = (b: Book, node: string, rest: string): readonly Hop[] => [
  b.rule(node, 'filter', `-A cali-tw-${rest} ${cali} -j cali-pri-kns.shop`),
  b.rule(node, 'filter', `-A cali-pri-kns.shop ${cali} -j MARK --set-xmark 0x10000/0x10000`, { object: 'profile/kns.shop' }),
  b.rule(
    node,
    'filter',
    `-A cali-tw-${rest} ${cali} -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN`,
  ),
  b.rule(
    node,
    'filter',
    `-A FORWARD ${cali} -m comment --comment "Policy explicitly accepted packet." -m mark --mark 0x10000/0x10000 -j ACCEPT`,
  ),
]
export const service = (b: Book, to: string): readonly Hop[] => [
  b.rule(
    'n1',
    'nat',
    '-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-67NZLRHBNDSAWJRO',
    { object: 'service/shop/web:http' },
  ),
  b.rule('n1', 'nat', `-A KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> ${to}" -j KUBE-SEP-KQUKC5257P6IECWA`, {
    object: 'service/shop/web:http',
  }),
  b.rule('n1', 'nat', `-A KUBE-SEP-KQUKC5257P6IECWA -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination ${to}`, {
    object: 'service/shop/web:http',
  }),
]
export const asked = (b: Book): Hop =>
  b.rule('n1', 'nat', '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING', { owner: 'kube-proxy' })
export const unmarked = (b: Book): Hop => b.rule('n1', 'nat', '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN')
export const overlay = (b: Book): readonly Hop[] => [
  b.entry('n1', 'encapsulate', 'vxlan.calico', 'VXLAN 4096 to 172.18.0.12'),
  b.entry('n1', 'device', 'eth0', 'to n2'),
  b.entry('n2', 'decapsulate', 'vxlan.calico', 'unpacked from VXLAN 4096'),
]
export const block = (b: Book): Hop => b.entry('n1', 'route', 'route', '10.244.1.0/26 via 10.244.1.0 dev vxlan.calico onlink')
export const home = (b: Book): readonly Hop[] => [
  b.entry('n1', 'route', 'route', '10.244.0.4 dev cali2 scope link', { object: 'pod/shop/web-1' }),
  ...ingress(b, 'n1', 'cali2'),
  b.entry('n1', 'device', 'cali2', 'to pod/shop/web-1'),
]
export const away = (b: Book): readonly Hop[] => [
  b.entry('n2', 'route', 'route', '10.244.1.4 dev cali9 scope link'),
  ...ingress(b, 'n2', 'cali9'),
  b.entry('n2', 'device', 'cali9', 'to pod/shop/web-2'),
]

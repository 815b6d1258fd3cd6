/** n1's two pods behind a bridge, as the CNI plugin `bridge` wires them; n1 is their gateway. `more` goes into n1. */
export const bridged = (more = '', pods: { readonly p1?: string; readonly p3?: string } = {}) => ({
  n1: `
    sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1
    ip link add cni0 index 40 address 02:00:00:00:0a:40 type bridge mcast_snooping 0
    ip addr add $gw1/{24|64 nodad} dev cni0
    ip addr add fe80::40/64 dev cni0 nodad
    for i in 1 3; do
      ip addr flush dev cali$i
      ip -6 addr flush dev cali$i
      ip link set cali$i master cni0
    done
    ip link set cni0 up
    ip route del $p1 dev cali1 2>/dev/null || true
    ip route del $p3 dev cali3 2>/dev/null || true
    ${more}`,
  ...Object.fromEntries(
    (['p1', 'p3'] as const).map((pod) => [
      pod,
      `ip route flush dev eth0
       ip addr del $${pod}/{32|128} dev eth0
       ip addr add $${pod}/{24|64 nodad} dev eth0
       {true|ip -6 addr add fe80::${pod === 'p1' ? 'a1' : 'a3'}/64 dev eth0 nodad}
       ip route add default via $gw1
       ${pods[pod] ?? ''}`,
    ]),
  ),
})

/** br_netfilter calls nobody. */
export const off = 'sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0'
/** So that the tables of neighbours and of the bridge are full before they are dumped. A first question may be lost on a port that has just come up. */
const greet = (...names: readonly string[]) => `
  python3 -c "import socket; [socket.socket(socket.{AF_INET|AF_INET6}, socket.SOCK_DGRAM).sendto(b'', (a, 9)) for a in '${names.join(' ')}'.split()]"
  for a in ${names.join(' ')}; do
    for i in $(seq 50); do ip neigh show "$a" | grep -q lladdr && break; sleep 0.1; done
  done`

export const greetings = { p1: greet('$gw1'), p3: greet('$gw1', '$p1') }

/** From everywhere to everywhere, by each protocol. */
export const everybody = `
  p1 tcp $p3:80 = p3 $p3:80 < $p1
  p3 udp $p1:53 = p1 $p1:53 < $p3
  p1 icmp $p3 = ok
  p1 tcp $p3:99 = rst
  p1 udp $p3:99 = icmp 3/3 $p3
  p1 tcp $gw1:80 = n1 $gw1:80 < $p1
  n1 tcp $p1:80 = p1 $p1:80 < $gw1
  p1 tcp $p2:80 = p2 $p2:80 < $p1
  p2 udp $p3:53 = p3 $p3:53 < $p2
  p1 tcp $n2:80 = n2 $n2:80 < $p1
  ext tcp $p1:80 = p1 $p1:80 < $ext
  p1 icmp $pods1free = icmp 3/1 $p1`

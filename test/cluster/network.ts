/**
 * Addresses of a cluster. All of it is inside the machine's own network namespace, so two clusters may have the same.
 *
 *   machine (control plane): bridge br0, .1 ── node1 .11, node2 .12, …, external .100
 */
export const machineAddress = ['172.30.0.1', 'fd30::1'] as const
export const externalAddress = ['172.30.0.100', 'fd30::100'] as const
export const nodeAddress = (index: number) => [`172.30.0.${11 + index}`, `fd30::${11 + index}`] as const
/** the hardware address of its card, locally administered */
export const nodeCard = (index: number) => `02:00:ac:1e:00:${(11 + index).toString(16).padStart(2, '0')}`
export const podRange = ['10.244.0.0/16', 'fd44::/56'] as const
export const serviceRange = ['10.96.0.0/16', 'fd96::/112'] as const
/** the API server's port on the machine's address */
export const apiPort = 6443
/** of a node's pods; given in advance, so that nobody waits for the controller manager's choice */
export const podRangeOf = (index: number) => [`10.244.${index + 1}.0/24`, `fd44:0:0:${index + 1}::/64`] as const
/** for services of type LoadBalancer: the outside reaches these by the first node */
export const loadBalancerRange = ['203.0.113.0/24', '2001:db8:30::/64'] as const

#!/bin/sh
# PID 1 of a cluster, in network, mount and pid namespaces of its own; /proc stays this host's, so that pids mean the same on both sides.
# Ends when its standard input does, which whoever made the cluster holds; the kernel then ends everything else that is in here.
set -eu
address4=$1 address6=$2
exec 3<&0
mkdir -p /run/netns
mount -t tmpfs tmpfs /run/netns
ip link set lo up
# without an address of its own a bridge has its ports' lowest, and with every node that comes or goes another one
ip link add br0 address 02:00:ac:1e:00:01 type bridge
# a switch, not a firewall: frames between nodes are not the machine's to filter or track
for family in iptables ip6tables arptables; do
  echo 0 2>/dev/null >"/proc/sys/net/bridge/bridge-nf-call-$family" || :
done
echo 0 >/proc/sys/net/ipv6/conf/br0/accept_dad
ip address add "$address4" dev br0
ip address add "$address6" dev br0
ip link set br0 up
read -r pid _ </proc/self/stat
echo "$pid"
cat <&3 >/dev/null &
wait $!

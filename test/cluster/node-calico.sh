#!/bin/sh
# node-calico.sh: calico-node's services on this node, as its image begins and keeps them (Calico: node/filesystem/etc/rc.local); ends when Felix is ready.
set -eu
set -a
. /etc/calico/environment
set +a
mkdir -p /run/calico
# each gives up when somebody else changes the node's object meanwhile, as kubelet does; its container would be started anew
again() {
  tries=60
  until "$@"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ]
    sleep 0.5
  done
}
again calico component node startup
again calico component node allocate-tunnel-addrs --run-once
# Felix ends by itself when a setting of it changes
keep() {
  while :; do
    "$@" || :
    sleep 1
  done
}
keep calico component node node-services &
keep calico component felix &
until calico health --port 9099 --type readiness >/dev/null 2>&1; do sleep 0.2; done

#!/bin/sh
# node-calico.sh: calico-node's services on this node, as its image begins and keeps them (Calico: node/filesystem/etc/rc.local); ends when Felix is ready.
set -eu
set -a
. /etc/calico/environment
set +a
mkdir -p /run/calico
calico component node startup
calico component node allocate-tunnel-addrs --run-once
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

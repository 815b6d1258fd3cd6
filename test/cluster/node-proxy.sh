#!/bin/sh
# node-proxy.sh iptables|nftables|ipvs|none: how services work on this node from now on. What another mode has made is taken away before.
set -eu
export PATH=/usr/local/lib/kubernetes/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mode=$1
if [ -e /run/kube-proxy.pid ]; then
  pid=$(cat /run/kube-proxy.pid)
  kill "$pid" 2>/dev/null || :
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
  rm /run/kube-proxy.pid
  kube-proxy --config /etc/kubernetes/kube-proxy.yaml --cleanup >>/var/log/kube-proxy.log 2>&1
fi
[ "$mode" = "$(cat /etc/node/proxy-mode)" ] || echo "$mode" >/etc/node/proxy-mode
[ "$mode" != none ] || exit 0
sed "s/^mode: .*/mode: $mode/" /etc/kubernetes/kube-proxy.yaml >/run/kube-proxy.yaml
# of PID 1 as soon as this script ends
setsid kube-proxy --config /run/kube-proxy.yaml >>/var/log/kube-proxy.log 2>&1 </dev/null &
echo $! >/run/kube-proxy.pid

#!/bin/sh
# PID 1 of a node in its own root: network, runtime, kubelet, kube-proxy; reaps what loses its parent. Every boot runs it.
set -eu
export PATH=/usr/local/lib/kubernetes/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# the cable is plugged in from outside
until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done
sh -e /etc/node/network.sh

containerd >>/var/log/containerd.log 2>&1 3>&- &
until ctr version >/dev/null 2>&1; do sleep 0.1; done
if [ ! -e /var/lib/containerd/imported ]; then
  for archive in /usr/local/lib/kubernetes/images/*.tar; do
    ctr -n k8s.io images import "$archive"
  done
  touch /var/lib/containerd/imported
fi

kubelet --config /etc/kubernetes/kubelet.yaml --kubeconfig /etc/kubernetes/kubelet.conf \
  --hostname-override "$(hostname)" --node-ip "$(cat /etc/node/addresses)" >>/var/log/kubelet.log 2>&1 3>&- &
sh /run/node-proxy.sh "$(cat /etc/node/proxy-mode)" 3>&-
if [ -e /etc/calico/environment ]; then sh /run/node-calico.sh >>/var/log/calico.log 2>&1 3>&-; fi
echo booted >&3
exec 3>&-
wait

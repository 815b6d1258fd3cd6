#!/usr/bin/env bash
# Runs one command where control groups are of version 2 only: on this machine's files, in user-mode Linux, which is a kernel in a process.
#
#   test/cluster/version2.sh npx vitest run test/cluster/nodes.test.ts
#
# For who has a machine of version 1: CI does not. That kernel has one processor, no cpusets, no nf_tables for IP (so nodes have legacy iptables,
# no nftables mode and no change of mode), but IPVS and br_netfilter. Files are read-only with a tmpfs on top. Needs root, apt-get and 4 GB of memory.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download user-mode-linux && dpkg -x ./*.deb . && mkdir result)

cat >"$work/init" <<END
#!/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -n -t proc proc /proc; mount -n -t sysfs sysfs /sys
insmod "\$(find $work/usr/lib/uml/modules -name overlay.ko)"
mount -n -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work /mnt/root
mount -n -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root && cd /mnt/root
mkdir -p old lib/modules
for fs in dev proc sys; do mount -n --move /\$fs \$fs; done
mount -n -t tmpfs tmpfs run
pivot_root . old && exec chroot . /bin/bash /old$work/start
END

cat >"$work/start" <<END
mount --bind /old$work/usr/lib/uml/modules /lib/modules
mkdir -p /run/result /run/tmp /dev/pts /dev/shm && mount -t hostfs -o $work/result none /run/result
mount -t devpts devpts /dev/pts && mount -t tmpfs tmpfs /dev/shm && mount -t cgroup2 cgroup2 /sys/fs/cgroup
ln -s /proc/self/fd /dev/fd && ln -s fd/0 /dev/stdin && ln -s fd/1 /dev/stdout && ln -s fd/2 /dev/stderr
ip link set lo up && hostname version2
for name in iptables ip6tables; do update-alternatives --quiet --set \$name /usr/sbin/\$name-legacy; done
# nodes don't see the modules
modprobe -a iptable_{nat,filter,mangle} ip6table_{nat,filter,mangle} ip_vs{,_rr} nf_conntrack
cd $(printf %q "$PWD")
# kubelet does not start where it can't read the processor's speed
sed 's/^mode.*/&\ncpu MHz : 1000.0/' /proc/cpuinfo >/run/cpuinfo
sed -i 's,^mount -t proc .*,&\nmount --bind /run/cpuinfo "\$root/proc/cpuinfo",' $(printf %q "$(dirname "$(realpath "$0")")/node-init.sh")
export PATH=$(printf %q "$PATH") HOME=$(printf %q "$HOME") NETCTL_IN_VM=1 TMPDIR=/run/tmp
$(printf '%q ' "$@")
echo \$? >/run/result/status
echo o >/proc/sysrq-trigger
sleep 5
END
chmod 755 "$work/init"

# its memory is a file there; nothing of it outlives it
TMPDIR=/dev/shm unshare --pid --fork --kill-child --mount-proc "$work/usr/bin/linux.uml" mem=4G rootfstype=hostfs rootflags=/ ro init="$work/init" con=null con0=fd:0,fd:1 quiet
exit "$(cat "$work/result/status")"

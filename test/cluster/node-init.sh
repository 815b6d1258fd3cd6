#!/bin/sh
# PID 1 of a node, in namespaces of its own (network, mount, uts, ipc, pid, cgroup): makes the node's root and goes on there as node-run.sh.
#   node-init.sh FOLDER HOSTNAME BIN IMAGES [SHARED]
# FOLDER/upper is the node's disk over this machine's own root, which lends /usr and /etc; FOLDER/disk holds what can't be on an overlay.
# BIN and IMAGES are folders that the node sees read-only; SHARED as well, where it is here.
set -eu
folder=$1 hostname=$2 bin=$3 images=$4 shared=${5:-}
# /proc is the host's still, and so is the pid
read -r pid _ </proc/self/stat
echo "$pid"
exec 3>&1 >>"$folder/console.log" 2>&1 </dev/null
upper=$folder/upper disk=$folder/disk root=$folder/root

hostname "$hostname"
mkdir -p "$upper" "$folder/work" "$disk/containerd" "$disk/kubelet" "$root"
if [ ! -e "$folder/made" ]; then
  # what is this machine's and not a node's is not seen there: whiteouts, and a folder made over one begins empty
  mkdir "$upper/etc"
  for path in /* /etc/cni /etc/containerd /etc/kubernetes /etc/machine-id /etc/resolv.conf; do
    case $path in /bin | /sbin | /lib* | /usr | /etc) ;; *) mknod "$upper$path" c 0 0 ;; esac
  done
fi
mount -t overlay -o "lowerdir=/,upperdir=$upper,workdir=$folder/work" overlay "$root"
if [ ! -e "$folder/made" ]; then
  (
    cd "$root"
    mkdir dev proc sys run tmp root home mnt opt srv var var/cache var/log var/tmp var/lib var/lib/containerd var/lib/kubelet
    mkdir usr/local/lib/kubernetes usr/local/lib/kubernetes/bin usr/local/lib/kubernetes/images
    ln -s /run var/run
    chmod 1777 tmp var/tmp
    cp -R "$folder/files/." .
  )
  rm -r "$folder/files"
  (cd "$upper" && find . -printf '%P\t%y\t%s\t%T@\n') >"$folder/made"
fi

mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/net"
for device in null zero full random urandom tty kmsg net/tun fuse; do
  [ -e "/dev/$device" ] || continue
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t mqueue mqueue "$root/dev/mqueue"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"

# control groups: a new mount shows this namespace's own group as the top
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  for controller in $(cat "$root/sys/fs/cgroup/cgroup.controllers"); do echo "+$controller"; done >"$root/sys/fs/cgroup/cgroup.subtree_control"
else
  mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
  while IFS=: read -r _ options _; do
    [ -n "$options" ] || continue
    group=$root/sys/fs/cgroup/${options#name=}
    mkdir "$group"
    mount -t cgroup -o "$options" cgroup "$group" 2>/dev/null || rmdir "$group"
  done </proc/self/cgroup
fi

# kubelet sets these, which are the whole machine's: it finds them as it wants them, and the machine keeps its own
mkdir "$root/run/sysctl"
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  name=${setting%=*} file=$root/run/sysctl/$(echo "${setting%=*}" | tr / .)
  echo "${setting#*=}" >"$file"
  if [ -e "/proc/sys/$name" ]; then mount --bind "$file" "$root/proc/sys/$name"; fi
done

mount --bind "$disk/containerd" "$root/var/lib/containerd"
mount --bind "$disk/kubelet" "$root/var/lib/kubelet"
lend() {
  mkdir -p "$root$2"
  mount --bind "$1" "$root$2"
  mount -o remount,bind,ro "$root$2"
}
lend "$bin" /usr/local/lib/kubernetes/bin
lend "$images" /usr/local/lib/kubernetes/images
[ -z "$shared" ] || lend "$shared" "$shared"
cp "$(dirname "$0")/node-run.sh" "$(dirname "$0")/node-proxy.sh" "$(dirname "$0")/node-calico.sh" "$root/run/"

cd "$root"
mkdir -p run/old
pivot_root . run/old
umount -l /run/old
rmdir /run/old
# kubelet and the runtime expect what systemd does
mount --make-rshared /
exec sh /run/node-run.sh

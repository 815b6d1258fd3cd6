#!/usr/bin/env bash
# Runs one command in a virtual machine with Debian's kernel, which has what the machine at hand may lack: IPVS, IPIP, WireGuard, SCTP.
#
#   boot.sh SHARE SECONDS COMMAND [ARGUMENT...]
#
# The command sees this machine's files at their own paths: all read-only with a tmpfs on top, but the folder SHARE, which is this very
# folder. It runs as root in the folder that boot.sh was started in, with SECONDS to do its work. Its input, output and exit status are
# ours (but the end of the input isn't told); 124 if it took too long, 125 if the machine could not be started, which is tried twice.
# The machine is emulated (no KVM). Nothing is installed: the kernel's package is unpacked into a cache ($NETCTL_VM_CACHE). Needs root.
set -uo pipefail
share=$(realpath "$1") seconds=$2
shift 2
# one of each version of this script, since a machine that runs reads its modules there
cache=${NETCTL_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/netctl-vm}/$(sha256sum "$0" | cut -c 1-12)
PATH=$PATH:/usr/sbin:/sbin
virtiofsd=/usr/lib/qemu/virtiofsd

fail() {
  echo "boot.sh: $1" >&2
  exit 125
}

# Unpacks the kernel. The package named without a version depends on the one that holds it.
fetch_kernel() {
  local name package
  package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: *\(linux-image-.*\)/\1/p' | head -n 1)
  [[ -n $package ]] || return 1
  (cd "$1" && apt-get download -qq "$package" 2>"$1/apt.log") || return 1
  for name in "$1"/*.deb; do dpkg -x "$name" "$1" && rm "$name" || return 1; done
  chmod 755 "$1"
}

# The first stage: mounts the host's root under an overlay, and the share, and goes on in the share's script.
pack_initrd() {
  local dir=$1/initrd module modules
  modules=$(for module in virtio_pci virtio_console virtiofs overlay; do modprobe -d "$1" -S "$2" --show-depends "$module"; done | awk '!seen[$2]++ { print $2 }')
  mkdir -p "$dir"/{bin,dev,proc,sys,modules,host,upper,root}
  cp "$(command -v busybox)" "$dir/bin/busybox"
  cp $modules "$dir/modules/" || return 1
  cat >"$dir/init" <<END
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for module in $(for module in $modules; do printf '%s ' "${module##*/}"; done); do insmod /modules/\$module; done
mount -t virtiofs -o ro host /host && mount -t tmpfs tmpfs /upper && mkdir /upper/files /upper/work &&
  mount -t overlay -o lowerdir=/host,upperdir=/upper/files,workdir=/upper/work overlay /root &&
  mount -t tmpfs tmpfs /root/run && mkdir /root/run/share && mount -t virtiofs share /root/run/share &&
  for fs in dev proc sys; do mount --move /\$fs /root/\$fs; done &&
  exec switch_root /root /bin/bash /run/share/.vm/start
echo o >/proc/sysrq-trigger; poweroff -f
END
  chmod 755 "$dir/init"
  (cd "$dir" && find . | cpio --quiet -o -H newc | gzip -1) >"$1/initrd.gz"
}

# once, whoever comes first
prepare() {
  exec 9>"$cache.lock" && flock 9 || return 1
  if [[ ! -d $cache ]]; then
    find "$(dirname "$cache")" -mindepth 1 -maxdepth 1 -mtime +7 -exec rm -rf {} +
    local work status=0
    work=$(mktemp -d "$cache.XXXXXX") || return 1
    fill "$work" && mv "$work" "$cache" || status=1
    rm -rf "$work"
    ((status == 0)) || return 1
  fi
  exec 9>&-
}

fill() {
  local version
  fetch_kernel "$1" || { apt-get update -qq && fetch_kernel "$1"; } || { cat "$1/apt.log" >&2; return 1; }
  version=$(ls "$1/lib/modules")
  depmod -b "$1" "$version" && pack_initrd "$1" "$version"
}

# The second stage, on the host's files: the only job, then off.
write_start() {
  rm -rf "$share/.vm" && mkdir "$share/.vm" || return 1
  cat >"$share/.vm/start" <<END
exec 3<>"\$(echo /dev/vport*p1)" <&3 >&3 2>/run/share/.vm/errors
touch /run/share/.vm/started
mount --bind /run/share $(printf %q "$share")
mkdir -p /lib/modules && mount --bind $(printf %q "$cache/lib/modules") /lib/modules
mkdir -p /dev/pts /dev/shm && mount -t devpts devpts /dev/pts && mount -t tmpfs tmpfs /dev/shm
ln -s /proc/self/fd /dev/fd && ln -s fd/0 /dev/stdin && ln -s fd/1 /dev/stdout && ln -s fd/2 /dev/stderr
export PATH=$(printf %q "$PATH") HOME=/root NETCTL_IN_VM=1
ip link set lo up
cd $(printf %q "$PWD")
$(printf '%q ' "$@")
echo \$? >/run/share/.vm/status
sync
echo o >/proc/sysrq-trigger
sleep 5
busybox poweroff -f
END
}

children=()
stop() {
  ((${#children[@]} == 0)) || kill "${children[@]}" 2>/dev/null
  wait
  children=()
  rm -rf "$run"
}
trap stop EXIT
trap 'exit 130' INT TERM

# One start. True if the command ran to its end.
boot() {
  run=$(mktemp -d)
  write_start "$@" || return 1
  local tag deadline
  for tag in host:/:always "share:$share:auto"; do
    local name=${tag%%:*} cached=${tag##*:} dir=${tag#*:}
    "$virtiofsd" -f --socket-path="$run/$name" -o "source=${dir%:*},sandbox=chroot,cache=$cached" --rlimit-nofile=0 2>"$run/$name.log" &
    children+=($!)
  done
  mkfifo "$run/job.in" "$run/job.out"
  cat "$run/job.out" &
  local output=$!
  deadline=$((SECONDS + 10))
  until [[ -S $run/host && -S $run/share ]]; do ((SECONDS < deadline)) && sleep 0.05 || { cat "$run"/*.log >&2; return 1; }; done
  # the clock: on a busy host the guest misjudges its TSC, and its time would run fast or slow; HPET is always right
  timeout -k 10 $((seconds + 120)) qemu-system-x86_64 -accel tcg,thread=multi -cpu Nehalem -machine q35 -smp 2 -m 2G \
    -object memory-backend-memfd,id=mem,size=2G,share=on -numa node,memdev=mem \
    -chardev "socket,id=host,path=$run/host" -device vhost-user-fs-pci,chardev=host,tag=host,queue-size=1024 \
    -chardev "socket,id=share,path=$run/share" -device vhost-user-fs-pci,chardev=share,tag=share,queue-size=1024 \
    -device virtio-serial-pci -chardev "pipe,id=job,path=$run/job" -device virtserialport,chardev=job,name=job \
    -kernel "$(ls "$cache"/boot/vmlinuz-*)" -initrd "$cache/initrd.gz" \
    -append 'console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=on clocksource=hpet tsc=unstable' \
    -nographic -no-reboot -nodefaults -serial "file:$share/.vm/console" -monitor none -nic none </dev/null >"$run/qemu.log" 2>&1 &
  local qemu=$!
  children+=("$qemu")
  deadline=$((SECONDS + 120))
  until [[ -e $share/.vm/started ]]; do
    kill -0 "$qemu" 2>/dev/null && ((SECONDS < deadline)) && sleep 0.2 || break
  done
  if [[ -e $share/.vm/started ]]; then
    # not before: what a machine that does not start had taken of the input, the next one would lack
    cat <&4 >"$run/job.in" &
    children+=($!)
    deadline=$((SECONDS + seconds))
    while kill -0 "$qemu" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.2; done
    kill "$qemu" 2>/dev/null
    wait "$output"
  else
    cat "$run/qemu.log" "$share/.vm/console" >&2
  fi
  stop
  [[ -e $share/.vm/started ]]
}

for program in qemu-system-x86_64 busybox depmod cpio dpkg apt-get "$virtiofsd"; do
  command -v "$program" >/dev/null || fail "$program is not there"
done
mkdir -p "$(dirname "$cache")" && prepare || fail 'the kernel could not be fetched'
exec 4<&0
boot "$@" || boot "$@" || fail 'the machine did not start'
cat "$share/.vm/errors" >&2
[[ -s $share/.vm/status ]] || { echo "boot.sh: not done after $seconds seconds" >&2; exit 124; }
exit "$(cat "$share/.vm/status")"

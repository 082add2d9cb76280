# The hosts of ssh(1)'s own example on one loopback: sh mail-hosts.sh WORK COMMAND ARGUMENT...
# Runs COMMAND in the network and mount namespaces it was started in (unshare --net --mount), where mail.example.com is
# 127.0.0.2 and other.example.com 127.0.0.3, each with an sshd on port 22, and root's home is WORK/home.
set -eu
work=$1
shift
mount --make-rprivate /
ip link set lo up
printf '127.0.0.1 localhost\n127.0.0.2 mail.example.com\n127.0.0.3 other.example.com\n' >"$work/hosts"
mount --bind "$work/hosts" /etc/hosts
sed "s,^root:.*,root:*:0:0:root:$work/home:/bin/sh," /etc/passwd >"$work/passwd"
mount --bind "$work/passwd" /etc/passwd
mkdir -p /run/sshd "$work/home/.ssh"
ssh-keygen -q -t ed25519 -N '' -f "$work/home/.ssh/id_ed25519"
cp "$work/home/.ssh/id_ed25519.pub" "$work/authorized_keys"
for host in mail:127.0.0.2 other:127.0.0.3; do
  name=${host%%:*} address=${host#*:}
  ssh-keygen -q -t ed25519 -N '' -f "$work/$name"
  printf '%s.example.com %s\n' "$name" "$(cat "$work/$name.pub")" >>"$work/home/.ssh/known_hosts"
  cat >"$work/$name.conf" <<END
ListenAddress $address
HostKey $work/$name
PidFile none
AuthorizedKeysFile $work/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin yes
END
  /usr/sbin/sshd -D -e -f "$work/$name.conf" >"$work/$name.log" 2>&1 &
done
ssh-keygen -q -H -f "$work/home/.ssh/known_hosts" >/dev/null 2>&1
for name in mail other; do
  until grep -q 'Server listening' "$work/$name.log"; do sleep 0.1; done
done
"$@"

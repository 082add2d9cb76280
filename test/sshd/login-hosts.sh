# Hosts that take logins of every kind, on one loopback: sh login-hosts.sh WORK COMMAND ARGUMENT...
# Runs COMMAND in the network, mount and pid namespaces it was started in (unshare --net --mount --pid), where alice's
# password is "correct horse" (PAM and shadow of their own), her home is WORK/home, and each host has an sshd on port 22:
# 127.0.0.2 takes passwords, .3 asks questions through PAM, .4 takes keys, .5 a key and then a password.
set -eu
work=$1
shift
mount --make-rprivate /
ip link set lo up
hash='$6$throwaway$DBEFUyAhT5oZiuKMMiXyMJORJzCNWhD9C9AJPZT93EKrSvPkmsC5snHfHjQ4z5BROK08L6FDjreuxY/16.86m/'
home=$work/home
mkdir -p /run/sshd "$home/.ssh" "$work/pam.d"
own() { cat >"$work/$1"; mount --bind "$work/$1" "/etc/$1"; }
{ printf 'alice:x:60100:60100::%s:/bin/sh\n' "$home"; sed "s,^root:.*,root:x:0:0:root:$home:/bin/sh," /etc/passwd; } | own passwd
{ printf 'alice:%s:19000:0:99999:7:::\n' "$hash"; cat /etc/shadow; } | own shadow
{ printf 'alice:x:60100:\n'; cat /etc/group; } | own group
printf 'auth required pam_unix.so nodelay\naccount required pam_unix.so\nsession required pam_permit.so\n' >"$work/pam.d/sshd"
cp "$work/pam.d/sshd" "$work/pam.d/other"
mount --bind "$work/pam.d" /etc/pam.d
for name in id other locked; do
  [ "$name" = locked ] && phrase='battery staple' || phrase=
  ssh-keygen -q -t ed25519 -N "$phrase" -C "$name" -f "$work/$name"
done
cat "$work/id.pub" "$work/locked.pub" >"$work/authorized_keys"
host() {
  name=$1 address=$2
  shift 2
  ssh-keygen -q -t ed25519 -N '' -f "$work/host-$name"
  {
    printf '%s\n' "$@" "ListenAddress $address" "HostKey $work/host-$name" "AuthorizedKeysFile $work/authorized_keys"
    printf 'PidFile none\nStrictModes no\nPermitRootLogin no\nMaxAuthTries 6\nLogLevel VERBOSE\n'
  } >"$work/$name.conf"
  /usr/sbin/sshd -D -e -f "$work/$name.conf" >"$work/$name.log" 2>&1 &
}
host password 127.0.0.2 'UsePAM yes' 'PasswordAuthentication yes' 'KbdInteractiveAuthentication no'
host questions 127.0.0.3 'UsePAM yes' 'PasswordAuthentication no' 'KbdInteractiveAuthentication yes'
host keys 127.0.0.4 'UsePAM no' 'PasswordAuthentication no' 'KbdInteractiveAuthentication no'
host both 127.0.0.5 'UsePAM yes' 'PasswordAuthentication yes' 'KbdInteractiveAuthentication no' 'AuthenticationMethods publickey,password'
for name in password questions keys both; do
  until grep -q 'Server listening' "$work/$name.log"; do sleep 0.1; done
done
"$@"

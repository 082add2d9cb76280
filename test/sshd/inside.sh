# Runs sshd over and over in a private mount namespace. Started by driver.ts as
#   sh inside.sh ROOT WORK PROGRAM
# ROOT is "/" or a root file system; WORK holds etc/ (becomes /etc/ssh), key, passwd and group lines.
# Requests on standard input: a number, then that many arguments, one a line. After each run the exit code follows a
# record separator on standard output and on descriptor 3, where sshd's standard error goes.
set -eu
root=$1 work=$2 program=$3
at=${root%/}
mount --make-rprivate / 2>/dev/null || true
# a useradd elsewhere puts a new file in the place of /etc/passwd, which takes a mount away that lies on it
if [ "$root" = / ]; then
  mkdir "$work/own"
  cp -a /etc/. "$work/own" 2>/dev/null || true
  mount --bind "$work/own" /etc
fi
# never this machine's own files: copies with the accounts of the tests added lie over them in this namespace only
cat "$at/etc/passwd" "$work/passwd.more" >"$work/passwd"
cat "$at/etc/group" "$work/group.more" >"$work/group"
mount --bind "$work/passwd" "$at/etc/passwd"
mount --bind "$work/group" "$at/etc/group"
mount --bind "$work/etc" "$at/etc/ssh"
mount -t tmpfs -o mode=755 tmpfs "$at/run"
mkdir "$at/run/sshd"
cp "$work/key" "$at/run/key"
chmod 600 "$at/run/key"
# the folder that sshd puts before relative file names
cd /
run='
  while IFS= read -r count; do
    set --
    while [ "$count" -gt 0 ]; do IFS= read -r argument; set -- "$@" "$argument"; count=$((count - 1)); done
    code=0
    "$program" "$@" 2>&3 </dev/null || code=$?
    printf "\036%s\n" "$code" >&3
    printf "\036%s\n" "$code"
  done'
export program
[ "$root" = / ] && exec sh -c "$run"
mount --bind /dev/null "$root/dev/null" 2>/dev/null || true
exec chroot "$root" /bin/sh -c "$run"

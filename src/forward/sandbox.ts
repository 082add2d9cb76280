/**
 * A sandbox for a throw-away sshd: as root on Linux private mount, network and pid namespaces with a root folder of
 * their own, in which programs and libraries are the machine's, read-only, and all else is in memory; nothing that
 * happens there reaches the machine. For an ordinary user a temporary folder. When the caller ends, however, all ends:
 * the part inside sees the end of its standard input, and with the first process of a pid namespace all others go.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Job, Report } from "./job.ts";

export interface Sandbox {
  /** the command that runs this program with the part inside: node, script, arguments */
  readonly inside: readonly string[];
  /** the root file system whose programs are used; "/" is the machine's */
  readonly base: string;
  /** absolute, nothing is there yet; gone again when all has ended */
  readonly folder: string;
  readonly job: Job;
  /** called for each line that the part inside reports */
  readonly onReport: (report: Report) => void;
}

/** Resolves when the part inside has ended: null, or why it failed. */
export async function runSandbox({ inside, base, folder, job, onReport }: Sandbox): Promise<string | null> {
  const script = job.kind === "root" ? NAMESPACES : TEMPORARY_FOLDER;
  const child = spawn("/bin/sh", ["-c", script, "sshd-policy-probe", folder, base, SETUP, ...inside], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin" },
  });
  let complaint = "";
  child.stderr.on("data", (bytes: Buffer) => {
    complaint = `${complaint}${bytes.toString("latin1")}`.slice(-4000);
  });
  // a child that has gone shows in its exit code
  child.stdin.on("error", () => {});
  child.stdin.write(`${JSON.stringify(job)}\n`);
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    const report = readReport(line);
    if (report !== null) onReport(report);
  });
  const code = await new Promise<number | null>((resolve) => {
    child.on("error", () => resolve(null));
    child.on("close", (exit) => resolve(exit));
  });
  return code === 0 ? null : whyEnded(complaint) || `the sandbox ended with ${code}`;
}

/** The last line of what was said counts. */
function whyEnded(complaint: string): string {
  const last = complaint.trim().split("\n").at(-1) ?? "";
  return last.startsWith("unshare: ")
    ? `no namespaces can be made here, as in most containers (${last}): probe on the host, in a container that has CAP_SYS_ADMIN, or as an ordinary user, who logs in as himself`
    : last;
}

/** The part inside is this program: its lines have the shape of a Report. */
function readReport(line: string): Report | null {
  try {
    return JSON.parse(line) as Report;
  } catch {
    return null;
  }
}

/** Interrupts end the caller, whose end ends the part inside; the shell stays to remove the folder. */
const HEAD = `set -eu
umask 022
need() {
  command -v "$1" >/dev/null || { echo "there is no program $1, which the probe needs (Debian: apt install $2)" >&2; exit 1; }
}
need ssh-keygen openssh-client
folder=$1 base=$2 setup=$3; shift 3
trap '' INT TERM HUP QUIT
`;

const MAKE_FOLDER = `mkdir -m 700 "$folder"
code=0
`;

const NAMESPACES = `${HEAD}need unshare util-linux
need ip iproute2
${MAKE_FOLDER}unshare --mount --net --pid --fork --kill-child sh -c "$setup" sh "$folder" "\${base%/}" "$@" "$folder" || code=$?
rmdir "$folder"
exit $code
`;

const TEMPORARY_FOLDER = `${HEAD}${MAKE_FOLDER}"$@" "$folder" || code=$?
pid=$(cat "$folder/pid" 2>/dev/null) && kill "$pid" 2>/dev/null || true
rm -rf "$folder"
exit $code
`;

/**
 * Runs first inside the namespaces. Programs are bind-mounted read-only, their links kept; all else starts empty. No other
 * link is taken over: the part inside writes below the folder without being chrooted, and follows what lies there.
 */
const SETUP = `set -eu
folder=$1 base=$2; shift 2
mount --make-rprivate /
# the part inside is not in the sandbox's root: what it writes elsewhere must fail, on every file system
set -f
for point in $(cut -d ' ' -f 5 /proc/self/mountinfo); do
  mount -o remount,bind,ro "$(printf %b "$point")" 2>/dev/null || true
done
set +f
mount -t tmpfs -o mode=755,size=256m tmpfs "$folder"
for path in "$base"/*; do
  name=\${path##*/}
  case $name in
    usr|bin|sbin|lib|lib32|lib64|libx32|opt|nix|gnu) ;;
    *) continue ;;
  esac
  if [ -L "$path" ]; then cp -P "$path" "$folder/$name"; continue; fi
  [ -d "$path" ] || continue
  mkdir "$folder/$name"
  mount --rbind "$path" "$folder/$name"
  mount -o remount,bind,ro "$folder/$name"
done
(
cd "$folder"
mkdir -p dev/net etc/ssh run/sshd tmp var/empty home root
ln -s ../run var/run
chmod 1777 tmp
for device in 'null 1 3' 'zero 1 5' 'random 1 8' 'urandom 1 9' 'net/tun 10 200'; do
  name=\${device%% *} numbers=\${device#* }
  mknod -m 666 "dev/$name" c \${numbers% *} \${numbers#* } 2>/dev/null || { [ -e "/dev/$name" ] && : >"dev/$name" && mount --bind "/dev/$name" "dev/$name"; } || true
done
for name in ld.so.cache ld.so.conf ld.so.conf.d alternatives services; do
  [ -e "$base/etc/$name" ] && cp -a "$base/etc/$name" etc/ || true
done
)
ip link set lo up || { echo "its own loopback cannot be brought up: that takes CAP_NET_ADMIN" >&2; exit 1; }
exec "$@"
`;

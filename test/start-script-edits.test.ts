// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are shell scripts
/** What programs that start scripts call do to sshd's configuration: they themselves, run in a folder, are the judge. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { folderTree } from "../src/files/folder.ts";
import { startedByScript } from "../src/start/shell-script.ts";

let root = "";
/** What a line finds there, made once. */
let made = "";
beforeAll(() => {
  const top = mkdtempSync(join(tmpdir(), "sshd-policy-scratch-"));
  root = join(top, "now");
  made = join(top, "made");
  mkdirSync(root);
  lay();
  renameSync(root, made);
});
afterAll(() => rmSync(join(root, ".."), { recursive: true }));

/** What lies below etc/ssh, and beside it what brings another configuration. */
function lay(): void {
  const put = (path: string, text: string): void => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  put("etc/ssh/sshd_config", "PermitTunnel no\n");
  put("etc/ssh/sshd_config.d/a.conf", "X11Forwarding no\n");
  put("etc/ssh/moduli", "no\n");
  put("new/etc/ssh/sshd_config", "PermitTunnel yes\n");
  put("new/etc/ssh/sshd_config.d/a.conf", "X11Forwarding yes\n");
  put("other/motd", "PermitTunnel yes\n");
  put("ssh/sshd_config", "PermitTunnel yes\n");
  put("list", `${join(root, "etc/ssh/sshd_config")}\n`);
  put("names", "sshd_config\n");
  put("a.patch", "--- a/sshd_config\n+++ b/sshd_config\n@@ -1 +1 @@\n-PermitTunnel no\n+PermitTunnel yes\n");
  put("change.sh", 'sed -i s/no/yes/ "$1"\n');
  put("functions.sh", `change() { sed -i s/no/yes/ '${join(root, "etc/ssh/sshd_config")}'; }\n`);
  put("change.py", "import sys\nopen(sys.argv[1], 'a').write('# yes')\n");
  put("own.py", `open('${join(root, "etc/ssh/sshd_config")}', 'a').write('# yes')\n`);
  put("own.sh", `sed -i s/no/yes/ '${join(root, "etc/ssh/sshd_config")}'\n`);
  put("write.sed", `w ${join(root, "etc/ssh/sshd_config")}\n`);
  put("write.awk", `{ print "yes" > "${join(root, "etc/ssh/sshd_config")}" }\n`);
  put("parts/change.sh", 'sed -i s/no/yes/ "$1"\n');
  for (const [name, text] of [
    ["run/change", `#!/bin/sh\nsed -i s/no/yes/ '${join(root, "etc/ssh/sshd_config")}'\n`],
    ["change", "#!/usr/bin/env python3\nimport sys\nopen(sys.argv[1], 'a').write('# yes')\n"],
  ] as const) {
    put(name, text);
    chmodSync(join(root, name), 0o755);
  }
  const git = (...args: readonly string[]): unknown =>
    spawnSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], { cwd: join(root, "ssh") });
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "a");
  const pack = (command: string, ...args: readonly string[]): unknown =>
    spawnSync(command, args, { cwd: join(root, "new/etc") });
  pack("tar", "-cf", "../../a.tar", "ssh");
  pack("tar", "-cf", "../../m.tar", "-C", "../../other", "motd");
  pack("zip", "-qr", "../../a.zip", "ssh");
  pack("sh", "-c", "find ssh | cpio -o >../../a.cpio 2>/dev/null");
}

/** All that is below etc/ssh, by name and content. */
function configuration(): string {
  const folder = join(root, "etc/ssh");
  const names = existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /sshd_config/.test(name))
    : [];
  const texts = names.sort().map((name) => {
    try {
      return `${name}: ${readFileSync(join(folder, name), "utf8")}`;
    } catch {
      return name;
    }
  });
  return texts.join("\n");
}

const CHANGING = [
  // here-documents, pipes, files on standard input
  "sh <<EOF\nsed -i s/no/yes/ MAIN\nEOF",
  "FILE=MAIN; sh <<EOF\nsed -i s/no/yes/ $FILE\nEOF",
  "bash -s MAIN <<'EOF'\nsed -i s/no/yes/ \"$1\"\nEOF",
  "sh <<-EOF\n\tsed -i s/no/yes/ MAIN\n\tEOF",
  "echo 'sed -i s/no/yes/ MAIN' | sh",
  "printf 'sed -i s/no/yes/ %s\\n' MAIN | sh",
  "cat <<EOF | sh\nsed -i s/no/yes/ MAIN\nEOF",
  "bash -c 'bash <<< \"sed -i s/no/yes/ MAIN\"'",
  "echo 'sed -i s/no/yes/ MAIN' >ROOT/x; cat ROOT/change.sh | sh -s MAIN",
  "sh -s MAIN <ROOT/change.sh",
  "python3 - <<EOF\nopen('MAIN', 'a').write('yes')\nEOF",
  "python3 <<EOF\nopen('MAIN', 'a').write('yes')\nEOF",
  "echo \"open('MAIN', 'a').write('yes')\" | python3",
  "perl <<'EOF'\nopen(F, '>>', 'MAIN'); print F 'yes';\nEOF",
  "python3 ROOT/change.py MAIN",
  "cd ROOT/etc/ssh; python3 ROOT/change.py sshd_config",
  "python3 ROOT/own.py",
  "ed -s MAIN <<EOF\n1s/no/yes/\nw\nEOF",
  "printf '1s/no/yes/\\nw\\n' | ed -s MAIN",
  "ex -s MAIN <<EOF\n1s/no/yes/\nwq\nEOF",
  "vim -u NONE -es -c '1s/no/yes/' -c wq MAIN",
  // xargs
  "xargs sed -i s/no/yes/ <ROOT/list",
  "xargs -a ROOT/list sed -i s/no/yes/",
  "cat ROOT/list | xargs -n 1 sed -i s/no/yes/",
  "find ROOT/etc/ssh -type f | grep config | sort | xargs sed -i s/no/yes/",
  "find ROOT/etc/ssh -type f -print0 | xargs -0 -r sed -i s/no/yes/",
  "grep -l no ROOT/etc/ssh/sshd_config | head -1 | xargs -I % sed -i s/no/yes/ %",
  "cd ROOT/etc/ssh; xargs -a ROOT/names -I{} sh -c 'sed -i s/no/yes/ {}'",
  "echo MAIN | xargs tee",
  // what a command prints
  "sed -i s/no/yes/ $(find ROOT/etc/ssh -name sshd_config)",
  "for f in $(ls ROOT/etc/ssh/sshd_config); do sed -i s/no/yes/ $f; done",
  'for f in `find ROOT/etc/ssh -type f | grep config`; do sed -i s/no/yes/ "$f"; done',
  "FILES=$(find ROOT/etc/ssh -type f); sed -i s/no/yes/ $FILES",
  "cd ROOT/etc/ssh; sed -i s/no/yes/ $(ls | grep 'config$')",
  "cd ROOT/etc/ssh && find . -type f | xargs sed -i s/no/yes/",
  'find ROOT/etc/ssh -type f | while read -r file; do sed -i s/no/yes/ "$file"; done',
  'sed -i s/no/yes/ "$(readlink -f MAIN)"',
  'while read -r file; do sed -i s/no/yes/ "$file"; done <ROOT/list',
  "bash -c 'while read -r file; do sed -i s/no/yes/ \"$file\"; done < <(find ROOT/etc/ssh -type f)'",
  "bash -c 'cat < <(sed -i s/no/yes/ MAIN)'",
  'if out=$(sed -i s/no/yes/ MAIN 2>&1); then echo "$out"; fi',
  'echo "done: $(cd ROOT/etc/ssh && sed -i s/no/yes/ sshd_config)" `true`',
  "echo `sed -i s/no/yes/ MAIN`",
  "if true; then sh; fi <<EOF\nsed -i s/no/yes/ MAIN\nEOF",
  // what is printed is run
  "bash -c \"$(cat <<'E'\nsed -i s/no/yes/ MAIN\nE\n)\"",
  'sh -c "$(cat ROOT/change.sh)" x MAIN',
  'eval "$(cat ROOT/own.sh)"',
  "bash -c 'source <(cat ROOT/own.sh)'",
  "bash -c 'bash <(cat ROOT/own.sh)'",
  ". /dev/stdin <ROOT/own.sh",
  "trap 'sed -i s/no/yes/ MAIN' EXIT",
  "f() { sed -i s/no/yes/ MAIN; }; trap f 0",
  // scripts of a folder
  "find ROOT/parts -name '*.sh' -exec sh {} MAIN \\;",
  "find ROOT/run -type f -exec {} \\;",
  "find ROOT/run -type f | xargs -n 1 sh",
  'find ROOT/parts -type f | sort | while read -r f; do sh "$f" MAIN; done',
  'for f in $(ls ROOT/parts); do sh "ROOT/parts/$f" MAIN; done',
  "sh ROOT/parts/*.sh MAIN",
  "set -- MAIN; . ROOT/parts/*.sh",
  "ROOT/run/ch*",
  "run-parts ROOT/run",
  "run-parts --regex='^ch' --arg=x ROOT/run",
  // names that are made of others
  'X=MAIN.bak; sed -i s/no/yes/ "${X%.*}"',
  "X=MAIN.bak.old; sed -i s/no/yes/ ${X%%.b*}",
  "X=new/MAIN; sed -i s/no/yes/ ${X#*/}",
  "bash -c 'X=xMAIN; sed -i s/no/yes/ ${X:1}'",
  "bash -c 'X=ROOT/etc/ssh/motd_config; sed -i s/no/yes/ ${X/motd/sshd}'",
  'sed -i s/no/yes/ "ROOT/etc/ssh/$(basename MAIN)"',
  'sed -i s/no/yes/ "$(dirname MAIN)/sshd_config"',
  // other ways to write
  "gzip MAIN",
  "gzip -c ROOT/ssh/sshd_config >MAIN.gz; gunzip -f MAIN.gz",
  "gzip -c ROOT/ssh/sshd_config >MAIN.gz; cd ROOT/etc/ssh; gzip -qdf sshd_config.gz",
  "xz -c ROOT/ssh/sshd_config >MAIN.xz; xz -df MAIN.xz",
  "bzip2 -c ROOT/ssh/sshd_config >MAIN.bz2; bunzip2 -f MAIN.bz2",
  "zstd -qc ROOT/ssh/sshd_config >MAIN.zst; zstd -qdf MAIN.zst",
  "zstd -qc ROOT/ssh/sshd_config >ROOT/x; zstd -qdfo MAIN ROOT/x",
  "xxd ROOT/ssh/sshd_config >ROOT/x; xxd -r ROOT/x MAIN",
  "base64 ROOT/ssh/sshd_config | base64 -d >MAIN",
  "sed -f ROOT/write.sed ROOT/other/motd",
  "cd ROOT/etc/ssh; sed -n 'w sshd_config' ROOT/other/motd",
  'cd ROOT/etc/ssh; awk \'{ print "yes" > "sshd_config" }\' ROOT/other/motd',
  "awk -f ROOT/write.awk ROOT/other/motd",
  "awk -v f=MAIN '{ print \"yes\" > f }' ROOT/other/motd",
  'F=MAIN awk \'BEGIN { print "yes" > ENVIRON["F"] }\'',
  "awk 'BEGIN { system(\"cp ROOT/ssh/sshd_config MAIN\") }'",
  'F=MAIN python3 -c \'import os; open(os.environ["F"], "w")\'',
  "ROOT/change MAIN",
  "git --git-dir ROOT/ssh/.git --work-tree ROOT/etc/ssh checkout -qf .",
  // copies
  "cp -T ROOT/ssh/sshd_config MAIN",
  "cp -S .old ROOT/ssh/sshd_config ROOT/etc/ssh",
  "cd ROOT/new && cp --parents etc/ssh/sshd_config ROOT",
  "install -D -m 600 -t ROOT/etc/ssh ROOT/ssh/sshd_config",
  "install -m 600 /dev/null MAIN",
  "install -Dm600 ROOT/ssh/sshd_config MAIN",
  "cp --target ROOT/etc/ssh ROOT/ssh/sshd_config",
  "cd ROOT/etc/ssh; rm sshd_config; ln -s ROOT/ssh/sshd_config",
  "ln -sft ROOT/etc/ssh ROOT/ssh/sshd_config",
  "mv ROOT/etc/ssh ROOT/gone",
  "mv ROOT/etc/ssh/* ROOT/other",
  "mv ROOT/etc ROOT/gone",
  "rm -r ROOT/etc/s*",
  "rm -r ROOT/etc",
  "dd if=ROOT/ssh/sshd_config of=MAIN",
  "echo yes | tee -a MAIN",
  "truncate -s 0 MAIN",
  "sort -o MAIN ROOT/ssh/sshd_config",
  "uniq ROOT/ssh/sshd_config MAIN",
  "envsubst <ROOT/ssh/sshd_config >MAIN",
  "curl -so MAIN file://ROOT/ssh/sshd_config",
  "cd ROOT/etc/ssh; curl -sO file://ROOT/ssh/sshd_config",
  "curl -s --output-dir ROOT/etc/ssh -O file://ROOT/ssh/sshd_config",
  "curl -s --output-dir ROOT/etc/ssh -o sshd_config file://ROOT/ssh/sshd_config",
  // in place
  "perl -pi -e s/no/yes/ MAIN",
  "perl -i.bak -pe s/no/yes/ MAIN",
  "perl -0777 -i -pe s/no/yes/ MAIN",
  "perl -0pi -e s/no/yes/ MAIN",
  "cd ROOT/etc/ssh; perl -pi -e s/no/yes/ sshd_config",
  "sed --in-place=.bak s/no/yes/ MAIN",
  "sed -nie s/no/yes/ MAIN",
  "sed -i.pre MAIN -e s/no/yes/",
  "sed -e s/no/yes/ -i MAIN",
  "sed --in-pl s/no/yes/ MAIN",
  // what fills a folder
  "tar -xf ROOT/a.tar -C ROOT/etc",
  "tar xfC ROOT/a.tar ROOT/etc",
  "tar -C ROOT/etc -xf ROOT/a.tar ssh/sshd_config",
  "cd ROOT/etc/ssh; tar xf ROOT/a.tar --strip-components=1",
  "tar -x --file ROOT/a.tar --directory ROOT/etc ssh",
  "bsdtar -xf ROOT/a.tar -C ROOT/etc",
  "unzip -qo ROOT/a.zip -d ROOT/etc",
  "unzip -qo -d ROOT/etc ROOT/a.zip ssh/sshd_config",
  "unzip -qoj ROOT/a.zip ssh/sshd_config -d ROOT/etc/ssh",
  "cd ROOT/etc; cpio -iu <ROOT/a.cpio",
  "cpio -iuD ROOT/etc <ROOT/a.cpio",
  "cd ROOT; find ssh | cpio -pdmu ROOT/etc",
  "cd ROOT/ssh; echo sshd_config | cpio -pu ROOT/etc/ssh",
  "cd ROOT/etc/ssh; patch -sp1 <ROOT/a.patch",
  "patch -sp1 -d ROOT/etc/ssh -i ROOT/a.patch",
  "patch -s MAIN ROOT/a.patch",
  "patch -s MAIN <ROOT/a.patch",
  "rm -r ROOT/etc/ssh; git clone -q ROOT/ssh ROOT/etc/ssh",
  "rm -r ROOT/etc/ssh; cd ROOT/etc; git clone -q ROOT/ssh/.git ssh",
  "git -C ROOT/ssh --work-tree ROOT/etc/ssh --git-dir ROOT/ssh/.git checkout -qf .; cp ROOT/ssh/sshd_config MAIN",
  // other programs that run one
  "env FILE=MAIN sh -c 'sed -i s/no/yes/ $FILE'",
  "env -C ROOT/etc/ssh sed -i s/no/yes/ sshd_config",
  "timeout -k 5 60 sed -i s/no/yes/ MAIN",
  "nice -n 5 sed -i s/no/yes/ MAIN",
  "nice -5 sed -i s/no/yes/ MAIN",
  "ionice -c 3 sed -i s/no/yes/ MAIN",
  "nohup sed -i s/no/yes/ MAIN",
  "setsid -w sed -i s/no/yes/ MAIN",
  "stdbuf -o L sed -i s/no/yes/ MAIN",
  "taskset 1 sed -i s/no/yes/ MAIN",
  "flock ROOT/lock sed -i s/no/yes/ MAIN",
  "flock -w 5 ROOT/lock -c 'sed -i s/no/yes/ MAIN'",
  "script -qc 'sed -i s/no/yes/ MAIN' /dev/null",
  "setpriv --reuid 0 --clear-groups sed -i s/no/yes/ MAIN",
  "chroot / sed -i s/no/yes/ MAIN",
  "chroot --userspec=0:0 / sh -c 'sed -i s/no/yes/ MAIN'",
  "runuser -u root -- sed -i s/no/yes/ MAIN",
  "su -c 'sed -i s/no/yes/ MAIN'",
  "su root -c 'sed -i s/no/yes/ MAIN'",
  "su - root -s /bin/sh -c 'sed -i s/no/yes/ MAIN'",
  "su root ROOT/change.sh MAIN",
  "sg root 'sed -i s/no/yes/ MAIN'",
  "command sed -i s/no/yes/ MAIN",
  "bash -c 'exec -a x sed -i s/no/yes/ MAIN'",
  "eval 'sed -i s/no/yes/ MAIN'",
  "set -- MAIN; . ROOT/change.sh",
  "bash -c 'source ROOT/change.sh MAIN'",
  "bash --norc -eo pipefail -c 'sed -i s/no/yes/ MAIN'",
  "bash +e ROOT/change.sh MAIN",
  "unshare -m sed -i s/no/yes/ MAIN",
  "bash -c 'sed -i s/no/yes/ ROOT/etc/ssh/{ssh,sshd}_config'",
  "bash -c 'sed -i s/no/yes/ MAIN{,.d/*}'",
  'sh "$(dirname "$0")/change.sh" MAIN',
  'DIR=$(cd "$(dirname "$0")" && pwd); . "$DIR/functions.sh"; change',
  'sh "${0%/*}/change.sh" MAIN',
  // not everywhere
  "gawk -i inplace '{ sub(/no/, \"yes\"); print }' MAIN",
  'gawk \'{ print "yes" > "MAIN" }\' ROOT/other/motd',
  "sed s/no/yes/ MAIN | sponge MAIN",
  "crudini --set ROOT/etc/ssh/sshd_config.d/a.conf '' A yes",
  "rsync -a ROOT/new/etc/ssh/ ROOT/etc/ssh",
  "rsync -a ROOT/new/etc/ssh ROOT/etc",
  "rsync -e ssh -t ROOT/ssh/sshd_config ROOT/etc/ssh/",
  "cd ROOT/new && rsync -aR etc/ssh/sshd_config ROOT",
  "rsync -a --files-from=ROOT/names ROOT/ssh ROOT/etc/ssh",
  "rsync -a --delete ROOT/other/ ROOT/etc/ssh/",
  "busybox sed -i s/no/yes/ MAIN",
  "busybox sh -c 'sed -i s/no/yes/ MAIN'",
  "busybox tar -xf ROOT/a.tar -C ROOT/etc",
  "gosu root sed -i s/no/yes/ MAIN",
  "gosu 0:0 sh -c 'sed -i s/no/yes/ MAIN'",
  "7z x -y -oROOT/etc ROOT/a.tar",
  "7z e -y -oROOT/etc/ssh ROOT/a.tar",
];

const HARMLESS = [
  "gzip -c MAIN >ROOT/other/a.gz",
  "gzip -c MAIN >ROOT/other/a.gz; gunzip ROOT/other/a.gz",
  "xz -kc MAIN >ROOT/other/a.xz; xz -tq ROOT/other/a.xz",
  "awk -v f=ROOT/other/copy '{ print > f }' MAIN",
  "cd ROOT/etc/ssh; awk '{ print > \"ssh_config\" }' sshd_config",
  "sed -n 's/no/yes/p' MAIN",
  "find ROOT/parts -name '*.sh' -exec cat {} MAIN \\;",
  "find ROOT/parts -name '*.py' -exec sh {} MAIN \\;",
  "bash -c 'diff <(cat MAIN) <(cat MAIN)'",
  "trap 'rm -f ROOT/x' EXIT; trap - INT; trap '' TERM",
  "F=MAIN python3 -c 'import os; print(open(os.environ[\"F\"]).read())'",
  'eval "$(echo cat MAIN)"',
  'X=MAIN; touch "${X%/*}/x" "${X##*/}.bak" && rm "$(dirname MAIN)/x" "$(basename MAIN).bak"',
  "bash -c 'touch -c ROOT/x; tee ROOT/etc/ssh/{moduli,ssh_config} </dev/null'",
  "sh <<EOF\ngrep no MAIN\nEOF",
  "cat <<EOF\nsed -i s/no/yes/ MAIN\nEOF",
  "echo 'sed -i s/no/yes/ MAIN' | cat",
  "python3 - <<EOF\nprint(open('MAIN').read())\nEOF",
  "ed -s ROOT/other/motd <<EOF\nr MAIN\nEOF",
  "cat MAIN | xargs echo",
  "cat MAIN | grep no | xargs -n 1 touch ROOT/x",
  "xargs -a ROOT/list cat",
  "find ROOT/etc/ssh | xargs chmod go-w",
  "cp -S MAIN ROOT/other/motd ROOT/etc/ssh",
  "install -d -m 755 ROOT/etc/ssh ROOT/etc/ssh/sshd_config.d",
  "install -m 600 MAIN ROOT/other/copy",
  "ln -sf MAIN ROOT/other/link",
  "mv ROOT/etc/ssh/moduli ROOT/other",
  "dd if=MAIN of=ROOT/other/copy",
  "sort MAIN -o ROOT/other/sorted",
  "uniq MAIN",
  "uniq MAIN ROOT/other/copy",
  "curl -so ROOT/other/copy file://MAIN",
  "cd ROOT/other; curl -sO file://MAIN",
  "perl -ne 'print if /yes/' MAIN",
  "sed -n -e /yes/p MAIN",
  "sed s/no/yes/ MAIN >ROOT/other/copy",
  "tar -cf ROOT/b.tar -C ROOT/etc ssh",
  "tar -tf ROOT/a.tar -C ROOT/etc",
  "tar -xOf ROOT/a.tar -C ROOT/etc ssh/sshd_config",
  "tar -xf ROOT/m.tar -C ROOT/etc/ssh motd",
  "cd ROOT/other; tar xf ROOT/a.tar",
  "unzip -qo ROOT/a.zip -d ROOT/other",
  "cd ROOT/etc; unzip -l ROOT/a.zip",
  "cd ROOT/etc; find ssh | cpio -o >ROOT/b.cpio",
  "cd ROOT/etc; cpio -t <ROOT/a.cpio",
  "cd ROOT/etc; find ssh | cpio -pdm ROOT/other",
  "cd ROOT/etc/ssh; patch -sp1 --dry-run <ROOT/a.patch",
  "git clone -q ROOT/ssh ROOT/other/clone",
  "cd ROOT/etc; git -C ROOT/ssh checkout -q .",
  "cd ROOT/ssh; git log; git status",
  "timeout 60 cat MAIN",
  "chroot / cat MAIN",
  "command -v sed MAIN",
  "runuser -u root -- cat MAIN",
  "flock MAIN true",
  "env -C ROOT/ssh sed -i s/no/yes/ sshd_config",
  "nice -n 5 grep no MAIN",
  "echo MAIN | xargs tee </dev/null",
  "cat $(find ROOT/etc/ssh -name sshd_config)",
  "cat MAIN | grep no | xargs rm -f",
  'out=$(grep no MAIN) && echo "$(cat MAIN)"',
  'while read -r file; do cat "$file"; done <ROOT/list',
  "echo 'not $(sed -i s/no/yes/ MAIN)'",
  "for f in $(find ROOT/etc/ssh -type f -name moduli); do sed -i s/no/yes/ $f; done",
  'find ROOT/other -type f | while read -r file; do sed -i s/no/yes/ "$file"; done',
  "DIR=$(mktemp -d); cp MAIN $DIR/sshd_config; sed -i s/no/yes/ $DIR/sshd_config; rm -r $DIR",
  "rm -rf $(dirname ROOT/other/motd) $(basename MAIN)",
  "gawk -f /dev/null MAIN",
  "gawk '$1 > 3' MAIN",
  "sponge ROOT/other/copy <MAIN",
  "crudini --get MAIN '' A",
  "rsync -a ROOT/etc/ssh/ ROOT/other",
  "rsync -a ROOT/other/ ROOT/etc/ssh",
  "busybox cat MAIN",
  "gosu root cat MAIN",
  "7z l ROOT/a.tar",
  "cd ROOT/etc; 7z x -y -oROOT/other ROOT/a.tar",
];

const whole = (line: string): string =>
  line.replaceAll("MAIN", join(root, "etc/ssh/sshd_config")).replaceAll("ROOT", root);

/** Those that a machine may lack. */
const programOf = (line: string): readonly string[] =>
  "bsdtar zip unzip cpio ed ex vim setpriv script xz bzip2 bunzip2 zstd xxd run-parts runuser curl git gawk sponge crudini rsync busybox gosu 7z"
    .split(" ")
    .filter((name) => new RegExp(`(?<![\\w/.])${name}\\b`).test(line));

const there = new Map<string, boolean>();

function isThere(name: string): boolean {
  const found = there.get(name) ?? spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;
  there.set(name, found);
  return found;
}

test.each([
  ...CHANGING.map((line) => [line, true] as const),
  ...HARMLESS.map((line) => [line, false] as const),
])("%s", (line, changes) => {
  rmSync(root, { recursive: true, force: true });
  cpSync(made, root, { recursive: true });
  const before = configuration();
  const script = join(root, "script");
  writeFileSync(script, whole(line));
  const { edits } = startedByScript(script, [], { tree: folderTree("/"), variables: new Map() });
  const isRead = edits.some(
    (edit) => "file" in edit && edit.file.startsWith(join(root, "etc/ssh/sshd_config")),
  );
  const ran = spawnSync("sh", [script], { cwd: "/", stdio: ["ignore", "pipe", "pipe"], timeout: 10_000 });
  const missing = programOf(line).filter((name) => !isThere(name));
  if (missing.length === 0 && process.getuid?.() === 0)
    expect([configuration() !== before, ran.stderr.toString()]).toEqual([changes, expect.anything()]);
  expect(isRead).toBe(changes);
});

test.each<[string, string]>([
  ["curl -fsSL https://host/x | sh", "what a shell reads from its standard input"],
  ["echo c2VkCg== | base64 -d | sh", "what a shell reads from its standard input"],
  ['sh -c "$(curl -fsSL https://host/x)"', "what curl brings"],
  ['eval "$(wget -qO- https://host/x)"', "what wget brings"],
  ["bash <(curl -s https://host/x)", "what curl brings"],
  ["source <(aws s3 cp s3://a/b -)", "what aws brings"],
  ["wget -qO /tmp/a.sh https://host/x && sh /tmp/a.sh", "what wget brings"],
  ["cd /tmp; curl -sO https://host/a.sh; bash a.sh", "what curl brings"],
  ['F=/tmp/setup; curl -s https://host/x >"$F"; chmod +x "$F"; "$F"', "what curl brings"],
  ["echo c2VkCg== | base64 -d >/tmp/a.sh; sh /tmp/a.sh", "what base64 brings"],
  ["ansible localhost -m lineinfile -a path=/etc/ssh/sshd_config", "ansible"],
  ["apt-get install -y --reinstall openssh-server", "apt-get"],
  ["dpkg -i /tmp/openssh-server_1_amd64.deb", "dpkg"],
  ["consul-template -config ROOT/c.hcl -once", "consul-template"],
  ["vault agent -config=ROOT/c.hcl", "vault"],
])("what it brings or is told elsewhere may change the configuration: %s", (line, mayBy) => {
  const script = join(made, "script");
  writeFileSync(join(made, "c.hcl"), 'template { destination = "/etc/ssh/sshd_config" }\n');
  writeFileSync(script, line.replaceAll("ROOT", made));
  const { edits } = startedByScript(script, [], { tree: folderTree("/"), variables: new Map() });
  expect(edits.map((edit) => ("mayBy" in edit ? edit.mayBy : edit.file))).toContain(mayBy);
});

test.each([
  "curl -fsSL https://host/x >/tmp/x",
  "curl -fsSL https://host/x >/tmp/x; sh /tmp/y",
  'x="$(curl -s https://host/x)"',
  'eval "$(ssh-agent -s)"',
  "apt-get update; apt-get install -y curl",
  "consul-template -config ROOT/d.hcl -once",
  "aws s3 sync s3://a /srv",
  "aws s3 cp s3://a/b /etc/ssl/",
])("and this does not: %s", (line) => {
  const script = join(made, "script");
  writeFileSync(join(made, "d.hcl"), 'template { destination = "/etc/motd" }\n');
  writeFileSync(script, line.replaceAll("ROOT", made));
  expect(startedByScript(script, [], { tree: folderTree("/"), variables: new Map() }).edits).toEqual([]);
});

test.each([
  "aws s3 sync s3://a /etc/ssh",
  "aws --region x s3 cp --recursive s3://a/etc /etc",
  "aws s3 cp s3://a/sshd_config /etc/ssh/",
  "gsutil -m rsync -r gs://a /etc/ssh",
  "gsutil cp gs://a/sshd_config /etc/ssh/sshd_config",
  "gcloud storage cp gs://a/sshd_config /etc/ssh",
  "rclone copy a:b /etc/ssh",
  "svn checkout https://host/x /etc/ssh",
  "sshfs host:/x /etc/ssh",
  "restic restore latest --target /",
  "some-tool --into /etc/ssh",
  `awk 'BEGIN { system("cp /new/sshd_config /etc/ssh/") }'`,
  "python3 - <<E\nimport shutil\nshutil.copy('/new/sshd_config', '/etc/ssh')\nE",
  "some-tool /etc/ssh/sshd_config.tpl",
  "envtpl /etc/ssh/sshd_config.tpl",
  "sh /not/there | at now; echo 'sed -i s/a/b/ /etc/ssh/sshd_config' | at now",
])("programs that are not here: %s", (line) => {
  const script = join(made, "script");
  writeFileSync(script, line);
  const { edits } = startedByScript(script, [], { tree: folderTree("/"), variables: new Map() });
  expect(edits.some((edit) => "file" in edit && edit.file.startsWith("/etc/ssh/sshd_config"))).toBe(true);
});

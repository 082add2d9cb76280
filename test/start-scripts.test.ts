// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are shell scripts
/** With which options scripts start sshd, read without running them; a real shell is the judge. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { folderTree } from "../src/files/folder.ts";
import { startedBy, startedByScript } from "../src/start/shell-script.ts";
import { assignments } from "../src/start/shell-words.ts";
import { NO_OPTIONS, optionsOf, type StartOptions } from "../src/start/sshd-options.ts";
import { startOptions } from "../src/start/start-options.ts";
import { makeRoot } from "./auditing.ts";
import { timed } from "./cpu-time.ts";
import { LAB, whyNoHost } from "./lab/hosts.ts";
import { testUnless } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";
import type { ServerTree } from "./sshd/server-tree.ts";

describe("what a shell gives sshd is what is read", () => {
  const root = makeFolder();
  const said = (): string => join(root, "said");
  beforeAll(() => {
    mkdirSync(join(root, "bin"));
    writeFileSync(join(root, "bin/sshd"), `#!/bin/sh\nfor word; do printf '[%s]' "$word"; done >${said()}\n`);
    chmodSync(join(root, "bin/sshd"), 0o755);
    writeFileSync(join(root, "settings"), "OPTS='-o GatewayPorts=yes'\nexport MORE=\"-p 2222\"\n");
  });

  test.each<[string, ...string[]]>([
    ["exec SSHD -D -e -o 'AllowTcpForwarding yes' # -o X11Forwarding=no"],
    ['exec "$@"', "SSHD", "-D", "-o", "PermitTunnel yes"],
    ["exec $@", "SSHD", "-D", "-o", "PermitTunnel yes"],
    ['exec SSHD "$@"', "-D"],
    ['exec SSHD "$@"'],
    ['if [ "${1#-}" != "$1" ]; then\n  set -- SSHD "$@"\nfi\nexec "$@"', "-D", "-oPermitTunnel=yes"],
    ['if [ "${1#-}" != "$1" ]; then set -- SSHD -d "$@"; fi; exec "$@"', "SSHD", "-D"],
    ['[ "$1" = sshd ] && shift\nexec SSHD "$@"', "sshd", "-D"],
    ['case "$1" in\n  sshd|ssh) shift;;\nesac\nSSHD -D -o PermitTunnel=no'],
    ['OPTS=-D; OPTS="$OPTS -o GatewayPorts=yes"; OPTS+=\nSSHD $OPTS "$OPTS" \'$OPTS\' \\$OPTS'],
    [". ROOT/settings\nSSHD -D $OPTS ${MORE}"],
    ["SSHD -D ${OPTS:--o X11Forwarding=no} ${OPTS:+-x} ${OPTS-'a'}"],
    [": ${OPTS:=-o GatewayPorts=yes}\nSSHD $OPTS"],
    ["OPTS=; SSHD ${OPTS-x} ${OPTS:-y} ${OPTS+z}"],
    ['start() {\n  SSHD "$@"\n}\nstart -D -o PermitTunnel=yes'],
    ["start() { SSHD -D -o PermitTunnel=$1; }\nunused() { SSHD -o PermitTunnel=no; }\nstart yes"],
    ["if false; then SSHD -o PermitTunnel=no; else SSHD -D; fi"],
    ['if [ -n "" ]; then SSHD -a; elif [ x = x ]; then SSHD -D; else SSHD -b; fi'],
    ["[ a != a ] && SSHD -o PermitTunnel=no\n[ a = a ] || SSHD -o PermitTunnel=no\nSSHD -D"],
    ["! false && SSHD -D"],
    ["(true) && SSHD -D 2>&1 >/dev/null"],
    ["{ true; } && SSHD -D </dev/null"],
    ["cat <<EOF >/dev/null\nexec SSHD -o PermitTunnel=no\nEOF\nSSHD -D"],
    ["cat <<-'EOF' >/dev/null\n\tSSHD -o PermitTunnel=no\n\tEOF\nSSHD -D"],
    ['sh -c \'exec SSHD -D -o "PermitTunnel $1" "$@"\' yes -e'],
    ["eval \"SSHD -D -o 'PermitTunnel yes'\""],
    ["env OPTS=x nice -n 0 SSHD -D"],
    ["SSHD -D \\\n  -o \\\n  PermitTunnel=yes"],
    ['echo "it\'s $(echo \')\' ")") SSHD -a" `echo \\`echo\\`` >/dev/null; SSHD -D'],
    ["set -eu\nSSHD -t || exit 1\nSSHD -D -o GatewayPorts=no"],
    ["exec SSHD -D\nSSHD -o PermitTunnel=no"],
    ["for word in -D; do\n  SSHD $word\ndone"],
    ["\tif true\n\tthen\n\t\tSSHD -D\n\tfi\r\n".replace("\r", "")],
    ["x='a\nb'; SSHD -D \"$x\" $x"],
    ['SSHD -D "a\'b" \'c"d\' e\\ f "g\\"h\\$i\\j"'],
    ["exec {lock}>/dev/null\nexec SSHD -D -o PermitTunnel=yes"],
    ["OPTS=-oPermitTunnel=yes; true | OPTS=-oPermitTunnel=no; OPTS=-oX11Forwarding=no & wait; SSHD $OPTS"],
    ["OPTS=a; unset OPTS; SSHD ${OPTS-x}"],
    ["OPTS=a; OPTS='-o PermitTunnel=yes' sh -c 'SSHD $OPTS'"],
    ["OPTS=a; env OPTS='-o PermitTunnel=yes' MORE=x sh -c 'SSHD $OPTS $MORE'"],
    ["OPTS=a; OPTS=b SSHD $OPTS"],
    ["OPTS=a; OPTS=b exec sh -c 'SSHD $OPTS'"],
    ["OPTS=a; OPTS=b eval 'SSHD $OPTS'"],
    ["setup() { OPTS=$FIRST; }; FIRST=-D setup; SSHD $OPTS"],
    ["start() { OPTS=$1; }; start -D; start -e | cat; SSHD $OPTS"],
    ["f() { SSHD -D; }; (f() { SSHD -e; }); f"],
    ["f() { SSHD -D; }; { f() { SSHD -e; }; } | cat; f"],
    ["f() { SSHD -D; }; true | { f() { SSHD -e; }; }; f"],
    ["(f() { SSHD -D; }; f)"],
    ["OPTS=-D; (OPTS=-e); SSHD $OPTS"],
    ["OPTS=-D; { OPTS=-e; } | cat; SSHD $OPTS"],
    ["OPTS=-D; echo x | while read -r line; do OPTS=-e; done; SSHD $OPTS"],
    ["OPTS=-D; if true; then OPTS=-e; fi & wait; SSHD $OPTS"],
    ["OPTS=-D; { OPTS=-e; }; SSHD $OPTS"],
    ["(OPTS=-e; SSHD $OPTS)"],
    ["(exit 0); SSHD -D"],
    ["(if true; then exit 0; fi; SSHD -e); SSHD -D"],
    ["{ exit 0; } | cat; SSHD -D"],
    ["(exec true); SSHD -D"],
    ["f() { (exit 0); SSHD -D; }; f"],
    ["f() { return 0; SSHD -e; }; f; SSHD -D"],
    ["( (exit 0) && SSHD -D )"],
    ["export OPTS=-e; env -i sh -c 'SSHD -D $OPTS'"],
    ["export OPTS=-e; env -i MORE=-D sh -c 'SSHD $OPTS $MORE'"],
    ["export OPTS=-e; env - sh -c 'SSHD -D $OPTS'"],
    ["export OPTS=-e MORE=-D; env -u OPTS sh -c 'SSHD $MORE $OPTS'"],
    ["export OPTS=-e MORE=-D; env --unset=OPTS LESS=x sh -c 'SSHD $MORE $OPTS $LESS'"],
    ["export OPTS=-e; env --ignore-environment sh -c 'SSHD -D $OPTS'"],
    ["export OPTS=-e; exec env -i SSHD -D $OPTS"],
    ["sh <<EOF\nSSHD -D -o PermitTunnel=yes\nEOF"],
    ["WHAT=yes; sh <<EOF\nexec SSHD -D -o 'PermitTunnel $WHAT'\nEOF"],
    ["sh -s -- -D <<'EOF'\nexec SSHD \"$@\"\nEOF"],
    ["echo 'exec SSHD -D -e' | sh"],
    ["printf 'SSHD %s\\n' -D -e >/dev/null; printf '%s -D\\n' SSHD | sh"],
    ["timeout 60 SSHD -D; command -v SSHD >/dev/null"],
    ["flock ROOT/lock SSHD -D -e"],
    ['[[ -z "$1" || "$1" =~ ^x ]] && : ; [[ ( $1 > a ) && -n $1 ]] && : ; SSHD -D', "SSHD"],
    ["exec $(which SSHD) -D -e"],
    ['"$(command -v SSHD)" -D; `which SSHD` -D'],
    ["flock ROOT/lock -c 'SSHD -D -e'"],
    ["nice -n 5 env -u A B=c SSHD -D"],
    ["env -C ROOT/bin ./sshd -D"],
    ["export OPTS=-e; env -uOPTS sh -c 'SSHD -D $OPTS'"],
    ["printf '%s' x >/dev/null; if ! [ -n '' ]; then exec SSHD -D; fi; exec SSHD -o PermitTunnel=no"],
  ])("%s %j", (written, ...args) => {
    const put = (text: string): string =>
      text.replaceAll("SSHD", join(root, "bin/sshd")).replaceAll("ROOT", root);
    const script = join(root, "script");
    writeFileSync(script, put(written));
    rmSync(said(), { force: true });
    const shell = /\+=|\{lock\}|\[\[/.test(written) ? "bash" : "sh";
    execFileSync(shell, [script, ...args.map(put)], { env: { PATH: process.env["PATH"] }, stdio: "ignore" });
    const { starts } = startedByScript(script, args.map(put), {
      tree: folderTree("/"),
      variables: new Map(),
    });
    const words = starts.map((start) => start.words.map((word) => `[${word}]`).join(""));
    expect([...new Set(words)]).toEqual([existsSync(said()) ? readFileSync(said(), "utf8") : ""]);
  });

  // a loop is read once: what one round leaves for the next is not followed
  test("also of scripts that nobody wrote: what starts is always among what is read", {
    timeout: 120_000,
  }, () => {
    const simple = fc.constantFrom(
      ...[
        "OPTS=-D",
        "OPTS=-e",
        'OPTS="$OPTS -4"',
        "SSHD $OPTS",
        "SSHD -q $OPTS",
        "f",
        "exit 0",
        "true",
        "false",
      ],
      ...[
        "f() { OPTS=-6; }",
        "f() { SSHD $OPTS; }",
        "f() { exit 0; }",
        "exec SSHD -i $OPTS",
        "unset OPTS",
        "return 0",
      ],
    );
    const { list } = fc.letrec<{ list: string; part: string }>((tie) => ({
      list: fc.array(tie("part"), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("\n")),
      part: fc.oneof(
        { maxDepth: 3 },
        simple,
        tie("list").map((inner) => `(${inner})`),
        tie("list").map((inner) => `{ ${inner}\n}`),
        tie("list").map((inner) => `{ ${inner}\n} | cat`),
        tie("list").map((inner) => `true | { ${inner}\n}`),
        // one that calls itself in a pipe makes processes without end, which outlive the shell that began
        tie("list").map((inner) => `f() {\n${inner.replaceAll(/\bf\b(?!\()/g, "true")}\n}`),
        fc.tuple(tie("list"), tie("list")).map(([a, b]) => `if ${a}\nthen ${b}\nelse true\nfi`),
        fc.tuple(simple, fc.constantFrom("&&", "||", "|"), tie("part")).map((parts) => parts.join(" ")),
      ),
    }));
    // a line at once: both sides of a pipe may write
    writeFileSync(
      join(root, "bin/sshd"),
      '#!/bin/sh\nfor word; do line="$line""[$word]"; done; echo "$line" >>"$ALL"\n',
    );
    let started = 0;
    let runs = 0;
    fc.assert(
      fc.property(list, (written) => {
        const text = `${written}\n`.replaceAll("SSHD", join(root, "bin/sshd"));
        const script = join(root, "random");
        writeFileSync(script, text);
        // a shell that its own calls end leaves children, which write on
        const all = join(root, `all-${runs++}`);
        const env = { PATH: process.env["PATH"], ALL: all };
        spawnSync("sh", [script], { stdio: "ignore", timeout: 2000, env });
        const seen = existsSync(all) ? readFileSync(all, "utf8").trimEnd().split("\n") : [];
        const { starts, isCut } = startedByScript(script, [], {
          tree: folderTree("/"),
          variables: new Map(),
        });
        const read = starts.map((start) => start.words.map((word) => `[${word}]`).join(""));
        started += seen.length;
        if (!isCut) expect(seen.filter((words) => !read.includes(words))).toEqual([]);
      }),
      { numRuns: Number(process.env["SCRIPTS"] ?? 150) },
    );
    expect(started).toBeGreaterThan(20);
  });
});

const image = (command: readonly string[], files: ServerTree = {}, env: readonly string[] = []) =>
  optionsOf(
    startedBy(command, { tree: folderTree(makeRoot(files)), variables: assignments(env) }),
    "the image's ENTRYPOINT and CMD",
  );

const options = (...texts: readonly string[]): Pick<StartOptions, "options" | "configFile" | "limit"> => ({
  options: texts,
  configFile: null,
  limit: null,
});

describe("a configuration that is changed before sshd reads it", () => {
  const MAIN = "/etc/ssh/sshd_config";

  test.each<[string, string | null]>([
    [`sed -i 's/no/yes/' ${MAIN}`, MAIN],
    [`sed -ri.bak -e 's/no/yes/' ${MAIN}`, MAIN],
    [`sed 's/no/yes/' ${MAIN} | cat`, null],
    [`grep -q x ${MAIN}; chmod 600 ${MAIN}; test -f ${MAIN} && cat ${MAIN}`, null],
    [`echo 'AllowTcpForwarding yes' >> ${MAIN}`, MAIN],
    [`CONF=${MAIN}; echo x >"$CONF"`, MAIN],
    [`{ echo a; echo b; } >${MAIN}`, MAIN],
    [`(echo a) >${MAIN}`, MAIN],
    [`if true; then echo a; fi 2>/dev/null >${MAIN}`, MAIN],
    [`if false; then echo a >${MAIN}; fi`, null],
    [`cat <<E >/etc/ssh/sshd_config.d/10-x.conf\nPermitTunnel yes\nE`, "/etc/ssh/sshd_config.d/10-x.conf"],
    [`echo x | tee -a ${MAIN}`, MAIN],
    [`cp /config/sshd_config ${MAIN}`, MAIN],
    [`cp -a /etc/ssh.cache/* /etc/ssh/`, MAIN],
    [`cp ${MAIN} /config/`, null],
    [`cp ${MAIN} ${MAIN}.bak`, null],
    [`ln -sf /config/sshd_config /etc/ssh`, MAIN],
    [`cp -r /config/. /etc/ssh/`, MAIN],
    [`cp -r /config/ssh /etc`, MAIN],
    [`cp -r /config/etc/ /`, MAIN],
    [`cp -t /etc/ssh /config/sshd_config`, MAIN],
    [`cp -r --target-directory=/etc/ssh/ /config/sshd*`, MAIN],
    [`rsync -a /config/etc/ /etc/`, MAIN],
    [`rsync -a /config/etc /srv/`, null],
    [`cp /keys/ssh_host_* /keys/moduli /etc/ssh/`, null],
    [`cp /config/10-a.conf /etc/ssh/sshd_config.d/`, "/etc/ssh/sshd_config.d/*.conf"],
    [`cp /config/*.pub /config/README /etc/ssh/sshd_config.d/`, null],
    [`cp -r /etc/ssh /config/`, null],
    [`rm -rf /etc/ssh && ln -s /data/other /etc/ssh`, MAIN],
    [`ln -sfn /data/ssh /etc/ssh`, MAIN],
    [`rm -f /etc/ssh/ssh_host_*`, null],
    [`mount --bind /data/x /etc/ssh`, MAIN],
    [`tar -xzf /config.tgz -C /etc/ssh`, MAIN],
    [`tar -xf /config.tar -C /.`, MAIN],
    [`sudo tar --extract --directory=/ --file /config.tgz`, MAIN],
    [`tar -czf /backup.tgz -C /etc ssh; tar xf /app.tgz -C /srv`, null],
    [`cd /etc/ssh; echo PermitTunnel yes >>sshd_config`, MAIN],
    [`cd /etc/ssh && sed -i s/a/b/ ./sshd_config.d/a.conf`, "/etc/ssh/sshd_config.d/a.conf"],
    [`sed -i s/a/b/ ./sshd_config`, "./sshd_config"],
    [`cd "$(dirname "$0")"; echo x >>sshd_config`, "sshd_config"],
    [`if [ -d "$1" ]; then cd /srv; fi; echo x >>sshd_config`, "sshd_config"],
    [`cd /data; cp sshd_config.new sshd_config; rm -r ssh`, null],
    [`cd /etc; sed -i s/a/b/ ssh/sshd_config`, MAIN],
    [`cd /etc && cd ssh && cp /config/sshd_config .`, MAIN],
    [`(cd /etc/ssh); cd /data; echo x >sshd_config`, null],
    [`pushd /etc/ssh; echo x >sshd_config; popd`, MAIN],
    [`pushd /data; popd; echo x >sshd_config`, "sshd_config"],
    [`cd /etc/ssh/sshd_config.d; echo PermitTunnel yes >10.conf`, "/etc/ssh/sshd_config.d/10.conf"],
    [`sed -i s/a/b/ /etc//ssh/./x/../sshd_config`, MAIN],
    [`mount --bind /data/ssh /etc/ssh`, MAIN],
    [`rm -rf /run/ssh /etc/ssh`, MAIN],
    [`tee /tmp/sshd_config ${MAIN}`, MAIN],
    [`mv /etc/ssh/sshd_config.d/10.conf /root/`, "/etc/ssh/sshd_config.d/10.conf"],
    [`rsync -t /config/sshd_config /etc/ssh/`, MAIN],
    [`cp -rt /etc/ssh /config/sshd_config`, MAIN],
    [`cp -r /app/etc "$DESTINATION"`, null],
    [`python3 -c "copy('/config/sshd_config', '/etc/ssh/sshd_config')"`, MAIN],
    [`python3 -c "open('/etc/ssh/sshd_config', 'a').write('PermitTunnel yes')"`, MAIN],
    [`perl -e 'print 1'`, null],
    [`rm ${MAIN}`, MAIN],
    [`dockerize -template /t:${MAIN}`, MAIN],
    [`echo 'set /files/etc/ssh/sshd_config/PermitTunnel yes' | augtool -s`, MAIN],
    [`sudo sed -i s/a/b/ ${MAIN}`, MAIN],
    [`run-parts /etc/entry.d`, MAIN],
    [`for f in /etc/entry.d/*; do "$f"; done`, MAIN],
    [`find /etc/ssh -name sshd_config -exec sed -i s/no/yes/ {} \\;`, MAIN],
    [`find /etc -type f -execdir sed -i s/no/yes/ {} +`, MAIN],
    [`find ${MAIN} -exec sed -n p {} \\;`, null],
    [`find / -name '*.py' -exec sed -i s/no/yes/ {} +; find / -name '*.py' | xargs sed -i s/no/yes/`, null],
    [`find /etc/ssh -type d -exec cp /x.conf {} \\;`, null],
    [`find /etc/ssh -type f -exec chmod 600 {} +; find /srv -delete; find /etc -name '*.pyc' -delete`, null],
    [`find /etc/ssh/sshd_config.d -name '*.conf' -delete`, "/etc/ssh/sshd_config.d/*.conf"],
    [`grep -rl no /etc/ssh | xargs -r sed -i s/no/yes/`, MAIN],
    [`echo ${MAIN} | xargs -I{} sh -c 'echo PermitTunnel yes >>{}'`, MAIN],
    [`ls /srv | xargs rm; ls /etc/ssh | xargs cat; echo ${MAIN}; ls | xargs sed -i s/no/yes/`, null],
    [`sed -i s/no/yes/ /etc/ssh/*`, MAIN],
    [`sed -i s/no/yes/ /etc/ssh/ssh_host_*`, null],
    [`sed -n 'w ${MAIN}' /t`, MAIN],
    [`sed '/x/r ${MAIN}' /t; awk '/x/ && $1 > 3' ${MAIN}`, null],
    [`awk '{ print > "${MAIN}" }' /t`, MAIN],
    [`gawk -i inplace 1 ${MAIN}`, MAIN],
    [`tar -C/ -xf /config.tar`, MAIN],
    [`tar -xzC/etc/ssh -f /config.tgz`, MAIN],
    [`cd / && tar xzf /config.tgz`, MAIN],
    [`tar xzf /config.tgz; cd /srv && tar xzf /config.tgz`, null],
    [`unzip -o /config.zip -d /etc/ssh; unzip /app.zip`, MAIN],
    [`unzip /app.zip -d /srv; patch -d /srv </a`, null],
    [`patch -p1 -d / </a.patch`, MAIN],
    [`wget -O${MAIN} http://config/`, MAIN],
    [`sha512sum ${MAIN}; readlink -f ${MAIN}; egrep x ${MAIN}`, null],
    [`perl -ne 'print if /yes/' ${MAIN}`, null],
    [`perl -pi -e s/no/yes/ ${MAIN}`, MAIN],
    [`perl -e 'unlink "${MAIN}"'`, MAIN],
    [`python3 -c 'print(open("${MAIN}").read())'`, null],
    [`python3 /check.py ${MAIN}`, null],
    [`python3 /change.py ${MAIN}`, MAIN],
    [`python3 /calls.py ${MAIN}`, MAIN],
    [`python3 /absent.py ${MAIN}`, MAIN],
    [`cp -a /rootfs/. /; cp -r /rootfs/* /; cp -r /rootfs/etc /; rsync -a /rootfs/ /`, null],
    [`cp -a /rootfs/etc/. /etc/; cp -r /empty-of-ssh /etc/ssh/; cp /rootfs/* /etc/ssh/`, null],
    [`cp -a /other/. /`, MAIN],
    [`cp -r /other/* /`, MAIN],
    [`cp -r /other/etc /`, MAIN],
    [`cp -r /other/etc/ssh /etc`, MAIN],
    [`cp -r /other/etc/ /`, MAIN],
    [`cp -r /other/etc/ssh/ /etc/`, MAIN],
    [`rsync -a /other/etc/ssh/ /etc/ssh`, MAIN],
    [`cd /other && cp -r . /`, MAIN],
    [`cd /other/etc/ssh; cp ./ /etc/ssh/ -R`, MAIN],
    [`cp -rT /other/etc/ssh /etc/ssh`, MAIN],
    [`cp --no-target-directory -r /other /`, MAIN],
    [`cd /rootfs && cp -r . /; cp -rT /rootfs /`, null],
    [`rsync -a --delete /rootfs/etc/ /etc/`, MAIN],
    [`mount --bind /rootfs/etc /etc/ssh`, MAIN],
    [`cp -a /volume/. /`, MAIN],
    [`echo x >/srv/sshd_config`, null],
    [`cd /etc/ssh && wget http://config/sshd_config`, MAIN],
    [`wget -qP /etc/ssh/sshd_config.d http://config/a.conf?raw=1`, "/etc/ssh/sshd_config.d/a.conf"],
    [`wget -O /srv/x http://config/sshd_config; wget -P /srv http://config/sshd_config`, null],
    [`curl -o /srv/x http://config/sshd_config; curl http://config/sshd_config`, null],
    [`rsync -R ./etc/ssh/sshd_config /; rsync -a host:/etc/ssh/sshd_config /srv/`, MAIN],
    [`rsync -e 'ssh -p 22' -a host:/etc/ssh/sshd_config /etc/ssh`, MAIN],
    [`awk -i inplace 1 ${MAIN}`, MAIN],
    [`awk -f /t ${MAIN}; gawk -i /lib 1 ${MAIN}`, null],
    [`sed s/no/yes/ ${MAIN} | sponge ${MAIN}`, MAIN],
    [`gomplate -f /t -o ${MAIN}`, MAIN],
    [`gomplate --input-dir=/t --output-dir=/etc/ssh`, MAIN],
    [`gomplate -f ${MAIN} -o /srv/x`, null],
    [`dockerize -template /t:/etc/ssh -wait tcp://db:1 true`, MAIN],
    [`dockerize -template=/t:${MAIN} sleep 1`, MAIN],
    [`dockerize -template ${MAIN}:/srv/x -timeout 5s sed -i s/a/b/ /srv/x`, null],
    [`dockerize sed -i s/a/b/ ${MAIN}`, MAIN],
    [`crudini --set ${MAIN} '' PermitTunnel yes`, MAIN],
    [`crudini --get ${MAIN} '' PermitTunnel; crudini --set /srv/x '' a ${MAIN}`, null],
    [`augtool set /files/etc/ssh/sshd_config/PermitTunnel yes`, MAIN],
    [`augtool -s <<E\nset /files/etc/ssh/sshd_config/PermitTunnel yes\nsave\nE`, MAIN],
    [`augtool print /files/etc/ssh/sshd_config; echo 'rm /files/etc/hosts/1' | augtool -s`, null],
    [`busybox sed -i s/a/b/ ${MAIN}`, MAIN],
    [`toybox tee ${MAIN}`, MAIN],
    [`busybox cat ${MAIN}; busybox sh -c 'cat ${MAIN}'`, null],
    [`gosu root sed -i s/a/b/ ${MAIN}`, MAIN],
    [`su-exec git sh -c 'echo x >${MAIN}'`, MAIN],
    [`capsh --drop=cap_sys_admin -- -c 'echo x >${MAIN}'`, MAIN],
    [`chroot /mnt sed -i s/a/b/ ${MAIN}; chroot /mnt sh -c 'echo x >${MAIN}'`, null],
    [`git -C /etc/ssh pull -q`, MAIN],
    [`cd /etc && git checkout -f .`, MAIN],
    [`git clone http://config/ssh.git /etc/ssh/sshd_config.d`, "/etc/ssh/sshd_config.d/*.conf"],
    [`git -C /app pull; cd /etc; git log; git -C /app clone http://x/ssh`, null],
    [`7z x -o/etc/ssh /config.7z`, MAIN],
    [`7z l /config.7z; 7z x -o/srv /config.7z`, null],
    [`mount -t tmpfs -o size=1m none /etc/ssh`, MAIN],
    [`mount --bind /etc/ssh /srv/ssh; mount -o bind,${MAIN} /a /b`, null],
    [`mount -t overlay -o lowerdir=/etc overlay /etc`, MAIN],
    [`sed -i s/a/b/ /etc/*/sshd_config`, MAIN],
    [`rm -rf /etc/ssh*; sed -i s/a/b/ /etc/*.conf`, MAIN],
    [`dpkg-divert --rename --divert /x ${MAIN}`, MAIN],
    [`python3 /own.py`, MAIN],
    ['echo x >>"$(cat /where)/sshd_config"', "$(…)/sshd_config"],
    ['echo x >>"$(cat /where)/sshd_config.new"; echo x >"/srv/$(cat /where)/sshd_config"', null],
    [`/opt/tool ${MAIN}`, MAIN],
    [`consul-template -template "/t:${MAIN}:true" -once`, MAIN],
    [`diff /usr/sbin/sshd /srv/sshd; cp /usr/sbin/sshd /srv; file /usr/sbin/sshd`, null],
  ])("%s", (command, changed) => {
    const files = {
      "/entry.sh": `#!/bin/sh\n${command}\nexec /usr/sbin/sshd -D -e\n`,
      "/etc/entry.d/10-a": `#!/bin/sh\nsed -i s/a/b/ ${MAIN}\n`,
      "/check.py": "import re, sys\nprint(re.findall('PermitTunnel', open(sys.argv[1]).read()))\n",
      "/change.py": "import sys\nopen(sys.argv[1], 'a').write('PermitTunnel yes')\n",
      "/own.py": `open('${MAIN}', 'a').write('PermitTunnel yes')\n`,
      "/opt/tool": "\x7fELF\0",
      "/usr/local/bin/dockerize": "\x7fELF\0",
      "/calls.py": "import sys, own\nown.go(sys.argv[1])\n",
      "/rootfs/etc/motd": "hello\n",
      "/other/etc/ssh/sshd_config": "PermitTunnel yes\n",
    };
    const by = command.includes("entry.d") ? "/etc/entry.d/10-a" : "/entry.sh";
    const limit = `${by} changes ${changed} before sshd reads it: what is judged is the file as it lies there`;
    expect(image(["/entry.sh"], files)?.limit).toBe(changed === null ? null : limit);
  });

  const may = (program: string): string =>
    `/entry.sh runs ${program}, which may change ${MAIN} before sshd reads it: what is judged is the file as it lies there`;

  test.each<[string, ServerTree, string | null]>([
    ["ansible-playbook /site.yml", {}, may("ansible-playbook")],
    ["puppet apply /site.pp", {}, may("puppet")],
    ["augtool -s -f /augeas", {}, may("augtool")],
    ["confd -onetime -backend env", {}, may("confd")],
    ["confd -onetime", { "/etc/confd/conf.d/sshd.toml": `dest = "${MAIN}"\n` }, may("confd")],
    [
      "confd -confdir /x -onetime",
      { "/etc/confd/conf.d/nginx.toml": 'dest = "/etc/nginx/nginx.conf"\n' },
      may("confd"),
    ],
    ["confd -onetime", { "/etc/confd/conf.d/nginx.toml": 'dest = "/etc/nginx/nginx.conf"\n' }, null],
  ])("by files of a program's own: %s, %j", (command, files, limit) => {
    const entry = { "/entry.sh": `#!/bin/sh\n${command}\nexec /usr/sbin/sshd -D\n` };
    expect(image(["/entry.sh"], { ...files, ...entry })?.limit).toBe(limit);
  });

  test.each<[string, string | null]>([
    ["/bin/sh -c 'echo PermitTunnel yes >>/etc/ssh/sshd_config'", MAIN],
    ["-/usr/bin/sed -i s/no/yes/ /etc/ssh/sshd_config", MAIN],
    ["+/opt/entry ${FOLDER}/sshd_config.d/10.conf", "/etc/ssh/sshd_config.d/10.conf"],
    ["/usr/sbin/sshd -t -f /etc/ssh/sshd_config", null],
    ["/usr/sbin/sshd-keygen-start", null],
    ["/bin/sh -c 'echo x >/srv/sshd_config'", null],
  ])("by what a unit runs first: %s", (command, changed) => {
    const unit = "/etc/systemd/system/ssh.service.d/first.conf";
    const tree = makeRoot({
      "/usr/lib/systemd/system/ssh.service": "[Service]\nExecStart=/usr/sbin/sshd -D\n",
      [unit]: `[Service]\nEnvironment=FOLDER=/etc/ssh\nExecStartPre=${command}\n`,
      "/opt/entry": '#!/bin/sh\necho PermitTunnel yes >"$1"\n',
    });
    const by = command.includes("/opt/entry") ? "/opt/entry" : unit;
    const limit = `${by} changes ${changed} before sshd reads it: what is judged is the file as it lies there`;
    expect(startOptions(folderTree(tree)).limit).toBe(changed === null ? null : limit);
  });

  test("by nothing where a drop-in takes back what a unit runs first", () => {
    const tree = makeRoot({
      "/usr/lib/systemd/system/ssh.service": `[Service]\nExecStartPre=/bin/sed -i s/a/b/ ${MAIN}\nExecStart=/usr/sbin/sshd -D\n`,
      "/etc/systemd/system/ssh.service.d/none.conf": "[Service]\nExecStartPre=\n",
    });
    expect(startOptions(folderTree(tree)).limit).toBeNull();
  });

  test("is the one that -f names", () => {
    const files = {
      "/entry.sh": "#!/bin/sh\necho x >/srv/sshd_config\nexec /usr/sbin/sshd -D -f /srv/sshd_config\n",
    };
    expect(image(["/entry.sh"], files)?.limit).toContain("/entry.sh changes /srv/sshd_config before");
  });
});

describe("sshd by another name or place", () => {
  const SCRIPT = '#!/bin/sh\nexec /usr/sbin/sshd -o PermitTunnel=yes "$@"\n';

  test.each<[readonly string[], ServerTree]>([
    [["/usr/sbin/sshd.pam", "-o", "PermitTunnel=yes"], {}],
    [["/entry.sh"], { "/entry.sh": "exec sshd.krb5 -D -oPermitTunnel=yes\n" }],
    [["sshd", "-D"], { "/usr/local/sbin/sshd": SCRIPT }],
    [["/usr/local/bin/sshd", "-D"], { "/usr/local/bin/sshd": SCRIPT }],
    [["sh", "-c", "exec sshd -D"], { "/usr/local/sbin/sshd": SCRIPT }],
  ])("%j", (command, files) => {
    expect(image(command, files)).toMatchObject({ options: ["PermitTunnel=yes"], limit: null });
  });

  test("what is only named like it is none", () => {
    for (const name of ["sshd.sh", "sshd-session", "sshd-keygen", "sshd.service"])
      expect(image([`/usr/sbin/${name}`, "-o", "PermitTunnel=yes"])).toBeNull();
  });
});

describe("ENTRYPOINT and CMD", () => {
  const SCRIPT = {
    "/entrypoint.sh": "#!/bin/sh\nset -e\nexec /usr/sbin/sshd -D -e -o AllowTcpForwarding=yes\n",
  };
  const HANDS_ON = { "/usr/local/bin/entry": '#!/bin/sh\nset -e\nssh-keygen -A\nexec "$@"\n' };

  test.each<[readonly string[], ServerTree, ReturnType<typeof options>]>([
    [["/entrypoint.sh"], SCRIPT, options("AllowTcpForwarding=yes")],
    [["tini", "-g", "--", "/entrypoint.sh"], SCRIPT, options("AllowTcpForwarding=yes")],
    [["/usr/bin/dumb-init", "--", "/entrypoint.sh"], SCRIPT, options("AllowTcpForwarding=yes")],
    [["sh", "/entrypoint.sh"], SCRIPT, options("AllowTcpForwarding=yes")],
    [
      ["sh", "-c", "cd /app && ./run.sh"],
      {
        "/app/run.sh": "#!/bin/sh\ncd inner\n. ./settings\nexec sshd $OPTIONS\n",
        "/app/inner/settings": "OPTIONS='-o PermitTunnel=yes'\n",
        "/run.sh": "#!/bin/sh\nexec sshd -o PermitTunnel=no\n",
      },
      options("PermitTunnel=yes"),
    ],
    [["sh", "-c", "/entrypoint.sh && true"], SCRIPT, options("AllowTcpForwarding=yes")],
    [["bash", "-ec", "exec sshd -De -oPermitTunnel=yes"], {}, options("PermitTunnel=yes")],
    [["entry", "/usr/sbin/sshd", "-D", "-o", "PermitTunnel yes"], HANDS_ON, options("PermitTunnel yes")],
    [["entry", "sh", "-c", "sshd -D -p 2222"], HANDS_ON, options("Port=2222")],
    [["su", "-", "root", "-c", "/usr/sbin/sshd -D -o PermitTunnel=yes"], {}, options("PermitTunnel=yes")],
    [["runuser", "--command=/usr/sbin/sshd -o PermitTunnel=yes"], {}, options("PermitTunnel=yes")],
    [
      ["/usr/bin/env", "-S", "/usr/sbin/sshd -D -o PermitTunnel=yes", "-p", "2222"],
      {},
      options("PermitTunnel=yes", "Port=2222"),
    ],
    [["env", "-iSsshd -o 'PermitTunnel yes'"], {}, options("PermitTunnel yes")],
    [
      [
        "s6-notifyoncheck",
        "-d",
        "-n",
        "300",
        "-c",
        "nc -z localhost 22",
        "s6-setuidgid",
        "git",
        "sshd",
        "-p",
        "23",
      ],
      {},
      options("Port=23"),
    ],
    [
      ["/opt/check", "-x", "/usr/sbin/sshd", "-f", "/etc/ssh/sshd_config", "-p", "23"],
      {},
      { ...options("Port=23"), configFile: "/etc/ssh/sshd_config" },
    ],
    [["/init"], { "/init": "#!/bin/sh\nexec sshd -o PermitTunnel=yes\n" }, options("PermitTunnel=yes")],
    [
      ["/entry.sh"],
      {
        "/entry.sh": "#!/bin/sh\nrun-sshd -o PermitTunnel=yes\n",
        "/usr/local/bin/run-sshd": '#!/bin/sh\n. /usr/lib/settings\nexec /usr/sbin/sshd $OPTS "$@"\n',
        "/usr/lib/settings": "OPTS=-oX11Forwarding=no\n",
      },
      options("X11Forwarding=no", "PermitTunnel=yes"),
    ],
    [
      ["/usr/local/bin/run"],
      {
        "/usr/local/bin/run": "#!/bin/bash\nservice ssh start\ntail -f /dev/null\n",
        "/etc/init.d/ssh": "#!/bin/sh\n/usr/sbin/sshd -o PermitTunnel=yes\n",
      },
      options("PermitTunnel=yes"),
    ],
  ])("%j", (command, files, expected) => {
    expect(image(command, files)).toMatchObject(expected);
  });

  test.each<[string, readonly string[], ServerTree, string]>([
    [
      "not there",
      ["/entry.sh"],
      {},
      "the image's ENTRYPOINT and CMD runs /entry.sh, which is not there: options that it gives sshd are not read",
    ],
    [
      "another language",
      ["tini", "--", "/entry.py"],
      { "/entry.py": "#!/usr/bin/env python3\n" },
      "the image's ENTRYPOINT and CMD runs /entry.py, which is no shell script: options that it gives sshd are not read",
    ],
    [
      "a supervisor in another language",
      ["python3", "-u", "/usr/bin/supervisord", "-n"],
      {},
      "the image's ENTRYPOINT and CMD runs /usr/bin/supervisord, whose own files say what it starts: options that it gives sshd are not read",
    ],
    [
      "another language by its interpreter",
      ["python3", "/app.py"],
      {},
      "the image's ENTRYPOINT and CMD runs /app.py, which is no shell script: options that it gives sshd are not read",
    ],
    [
      "a supervisor",
      ["/usr/bin/supervisord", "-n"],
      {},
      "the image's ENTRYPOINT and CMD runs /usr/bin/supervisord, whose own files say what it starts: options that it gives sshd are not read",
    ],
    [
      "computed",
      ["/entry.sh"],
      { "/entry.sh": "#!/bin/sh\nexec /usr/sbin/sshd -D $(cat /options)\n" },
      "/entry.sh starts sshd with options that a shell computes: they are not read",
    ],
    [
      "read",
      ["/entry.sh"],
      { "/entry.sh": "#!/bin/sh\nread OPTS </options\nexec /usr/sbin/sshd -D $OPTS\n" },
      "/entry.sh starts sshd with options that a shell computes: they are not read",
    ],
    [
      "in an array",
      ["/entry.sh"],
      { "/entry.sh": '#!/bin/bash\nopts=(-D -o PermitTunnel=yes)\nexec /usr/sbin/sshd "${opts[@]}"\n' },
      "/entry.sh starts sshd with options that a shell computes: they are not read",
    ],
    [
      "a choice",
      ["/entry.sh"],
      {
        "/entry.sh": "#!/bin/sh\n[ -e /open ] && OPTS='-o PermitTunnel=yes'\nexec /usr/sbin/sshd -D $OPTS\n",
      },
      "/entry.sh starts sshd with options that depend on what it meets: not all of them are read",
    ],
    [
      "a test of which nobody knows whether it runs",
      ["/entry.sh"],
      {
        "/entry.sh":
          "#!/bin/sh\nif grep -q x /x && true; then :; else OPTS='-o PermitTunnel=yes'; fi\nexec /usr/sbin/sshd -D $OPTS\n",
      },
      "/entry.sh starts sshd with options that depend on what it meets: not all of them are read",
    ],
    [
      "settings of a computed name",
      ["/entry.sh"],
      { "/entry.sh": "#!/bin/sh\n. $(pwd)/x\nexec /usr/sbin/sshd -D $OPTS\n" },
      "/entry.sh starts sshd with options from a file that cannot be found or is too long: they are not read",
    ],
    [
      "settings that are too long",
      ["/entry.sh"],
      {
        "/entry.sh": "#!/bin/sh\n. /settings\nexec /usr/sbin/sshd -D $OPTS\n",
        "/settings": `${"#".repeat(1024 * 1024)}\nOPTS='-o PermitTunnel=yes'\n`,
      },
      "/entry.sh starts sshd with options from a file that cannot be found or is too long: they are not read",
    ],
    [
      "half of a test",
      ["/entry.sh"],
      {
        "/entry.sh":
          '#!/bin/bash\nif [[ -n "$X" || -f /x ]]; then exec /usr/sbin/sshd -o PermitTunnel=no; fi\nexec /usr/sbin/sshd -D\n',
      },
      "/entry.sh starts sshd with options that depend on what it meets: not all of them are read",
    ],
    ...["getopts o: OPTS", "printf -v OPTS %s x", "let OPTS=1", "mapfile -t OPTS </x"].map(
      (command): [string, readonly string[], ServerTree, string] => [
        command,
        ["/entry.sh"],
        { "/entry.sh": `#!/bin/bash\n${command}\nexec /usr/sbin/sshd -D -o PermitTunnel=$OPTS\n` },
        "/entry.sh starts sshd with options that a shell computes: they are not read",
      ],
    ),
    [
      "words that xargs reads",
      ["/entry.sh"],
      { "/entry.sh": "#!/bin/sh\necho -o PermitTunnel=yes | xargs /usr/sbin/sshd -D\n" },
      "/entry.sh starts sshd with options that a shell computes: they are not read",
    ],
    ...[
      ["curl x | sh", "what a shell reads from its standard input"],
      ["bash -s </x", "what a shell reads from its standard input"],
      ["sh <<EOF\n$(cat /x)\nEOF", "what a script computes"],
      ["cat /x | python3", "what python3 reads from its standard input"],
      ["python3 -c pass", "python3 with a program of its own"],
    ].map(([command = "", what = ""]): [string, readonly string[], ServerTree, string] => [
      command,
      ["/entry.sh"],
      { "/entry.sh": `#!/bin/sh\n${command}\n` },
      `the image's ENTRYPOINT and CMD runs ${what}: options that it gives sshd are not read`,
    ]),
    [
      "scripts in scripts",
      ["/1"],
      {
        ...Object.fromEntries(
          Array.from({ length: 14 }, (_, index) => [`/${index + 1}`, `#!/bin/sh\nexec /${index + 2}\n`]),
        ),
        "/15": "#!/bin/sh\nexec /usr/sbin/sshd -o PermitTunnel=yes\n",
      },
      "the image's ENTRYPOINT and CMD runs a script that is too long: options that it gives sshd are not read",
    ],
    [
      "many commands",
      ["/entry.sh"],
      {
        "/entry.sh": `#!/bin/sh\n[ -e /x ] && /usr/sbin/sshd -D\n${":\n".repeat(5000)}/usr/sbin/sshd -o PermitTunnel=yes\n`,
      },
      "/entry.sh starts sshd with options from scripts that are too long to follow: they are not read",
    ],
    [
      "a variable that stays in some shells",
      ["/entry.sh"],
      { "/entry.sh": "#!/bin/sh\nOPTS=-oPermitTunnel=yes eval :\nexec /usr/sbin/sshd -D $OPTS\n" },
      "/entry.sh starts sshd with options that depend on what it meets: not all of them are read",
    ],
    [
      "a command that is computed",
      ["/entry.sh"],
      { "/entry.sh": "#!/bin/sh\nexec $(cat /command)\n" },
      "the image's ENTRYPOINT and CMD runs what a script computes: options that it gives sshd are not read",
    ],
    [
      "itself",
      ["/entry.sh"],
      { "/entry.sh": "#!/bin/sh\n/entry.sh\n/entry.sh\nexec /usr/sbin/sshd $(x)\n" },
      "/entry.sh starts sshd with options that a shell computes: they are not read",
    ],
  ])("a limit: %s", (_, command, files, limit) => {
    expect(image(command, files)?.limit).toBe(limit);
  });

  const WORDS_COMPUTED = "/entry.sh starts sshd with options that a shell computes: they are not read";
  const NO_VALUE = "/entry.sh starts sshd with an option whose value is missing or empty: it is not read";
  const YES = ["AllowTcpForwarding=yes"];

  test.each<[string, readonly string[], string | null]>([
    ['-D -p "$(cat /port)"', [], WORDS_COMPUTED],
    ['-p "$(cat /port)" -o AllowTcpForwarding=yes', YES, WORDS_COMPUTED],
    ["-p $(cat /port) -o AllowTcpForwarding=yes", YES, WORDS_COMPUTED],
    ['-p"$(cat /port)" -o AllowTcpForwarding=yes', YES, WORDS_COMPUTED],
    ['-o "AllowUsers $(cat /users)" -o AllowTcpForwarding=yes', YES, WORDS_COMPUTED],
    ['-h "$(cat /key)" -o AllowTcpForwarding=yes', YES, WORDS_COMPUTED],
    ['-f "/etc/ssh/$(hostname)" -oAllowTcpForwarding=yes', YES, WORDS_COMPUTED],
    ["-$(cat /flags)p 2222 -o AllowTcpForwarding=yes", YES, WORDS_COMPUTED],
    ["$(cat /flags) -o AllowTcpForwarding=yes", YES, WORDS_COMPUTED],
    ['-p "$SSH_PORT" -o AllowTcpForwarding=yes', YES, NO_VALUE],
    ["-o AllowTcpForwarding=yes -p $SSH_PORT", YES, NO_VALUE],
    ["-f $NOTHING -o AllowTcpForwarding=yes", YES, NO_VALUE],
    ['-o AllowTcpForwarding=yes -f "$NOTHING"', YES, NO_VALUE],
    ["$NOTHING -o AllowTcpForwarding=yes", YES, null],
  ])("a value that is not known takes nothing else: sshd %s", (words, read, limit) => {
    const found = image(["/entry.sh"], { "/entry.sh": `#!/bin/sh\nexec /usr/sbin/sshd ${words}\n` });
    expect(found).toMatchObject({ options: read, configFile: null, limit });
  });

  test.each<[string, readonly string[], ServerTree]>([
    ["a shell for somebody to type in", ["bash"], {}],
    [
      "another server",
      ["/docker-entrypoint.sh", "nginx", "-g", "daemon off;"],
      { "/docker-entrypoint.sh": '#!/bin/sh\nexec "$@"\n' },
    ],
    ["the system's init", ["/sbin/init"], {}],
    [
      "what a signal does",
      ["/entry.sh"],
      { "/entry.sh": '#!/bin/sh\ntrap "kill $!; /usr/sbin/sshd" TERM\nsleep 5\n' },
    ],
    ["a program", ["/app/server"], { "/app/server": "\x7fELF\0\0sshd" }],
  ])("no sshd of its own: %s", (_, command, files) => {
    expect(image(command, files)).toBeNull();
  });

  test("an init script starts a supervisor, which starts another sshd", () => {
    const script =
      "#!/bin/sh\nDAEMON=/usr/bin/supervisord\nDAEMON_OPTS='-c /etc/supervisor/supervisord.conf'\n" +
      'case "$1" in start) start-stop-daemon --start --quiet --exec $DAEMON -- $DAEMON_OPTS;; esac\n';
    const files = {
      "/sbin/init": "",
      "/etc/init.d/supervisor": script,
      "/etc/supervisor/supervisord.conf": "[program:a]\ncommand=/usr/sbin/sshd -D -f /etc/ssh/a\n",
    };
    const ssh = { "/etc/init.d/ssh": "#!/bin/sh\n/usr/sbin/sshd -p 22\n" };
    const a = { configFile: "/etc/ssh/a", source: "/etc/supervisor/supervisord.conf", limit: null };
    expect(startOptions(folderTree(makeRoot({ ...files, ...ssh })))).toMatchObject({
      configFile: null,
      options: ["Port=22"],
      others: [a],
    });
    expect(startOptions(folderTree(makeRoot(files)))).toMatchObject(a);
    const without = {
      ...files,
      "/etc/supervisor/supervisord.conf": "[program:a]\ncommand=/usr/sbin/nginx\n",
    };
    expect(startOptions(folderTree(makeRoot(without)))).toBe(NO_OPTIONS);
  });

  test("sshds that start for certain are several; one that may start in the place of another is not", () => {
    const both = "/usr/sbin/sshd -f /etc/ssh/a\nexec /usr/sbin/sshd -D -o PermitTunnel=yes\n";
    expect(image(["/entry.sh"], { "/entry.sh": `#!/bin/sh\n${both}` })).toMatchObject({
      configFile: "/etc/ssh/a",
      limit: null,
      others: [{ configFile: null, options: ["PermitTunnel=yes"], source: "/entry.sh", limit: null }],
    });
    const choice = image(["/entry.sh"], { "/entry.sh": `#!/bin/sh\n[ -e /x ] && exec ${both}` });
    expect(choice).not.toHaveProperty("others");
    expect(choice?.limit).toContain("depend on what it meets");
    const same = image(["/entry.sh"], { "/entry.sh": "#!/bin/sh\nsshd -p 22\nsshd -o Port=22\n" });
    expect(same).toMatchObject({ options: ["Port=22"], limit: null });
    expect(same).not.toHaveProperty("others");
  });

  test("many choices, calls and words end", () => {
    const text = `#!/bin/sh\n${'[ -e /x ] && A="$A y"; f() { f; f; }; f\n'.repeat(2000)}exec /usr/sbin/sshd $A\n`;
    expect(image(["/entry.sh"], { "/entry.sh": text })?.limit).not.toBeNull();
    for (const hostile of [
      "(".repeat(50_000),
      "${".repeat(50_000),
      '"$('.repeat(20_000),
      "<<".repeat(20_000),
      "if ".repeat(50_000),
    ])
      expect(image(["sh", "-c", hostile])?.limit ?? "nothing").toMatch(/^nothing$|a script that is too long/);
  });

  const LONG = 1000 * 1024;
  const repeated = (text: string): string => text.repeat(LONG / text.length);
  test.each<[string, string, ServerTree]>([
    ["a pipe", repeated("a|"), {}],
    ["a pipe of one that prints what it reads", repeated("cat|"), {}],
    ["what awk prints", `awk '${repeated("print ")}'`, {}],
    ["a path in a program of Python", `python3 -c 'write${repeated("/a")}'`, {}],
    ["a file of awk", "awk -f /x\n".repeat(4000), { "/x": repeated("print >x\n") }],
    [
      "a folder of rules",
      "consul-template -config /x\n".repeat(4000),
      Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`/x/${index}`, repeated("a = 1\n")])),
    ],
    ["reserved words", repeated("if "), {}],
    ["words", repeated("x "), {}],
    ["another program's words", `env ${repeated("x ")}`, {}],
    ["files to copy", `cp ${"x ".repeat(60_000)} /etc/ssh/`, {}],
    ["braces", `A=${",".repeat(60_000)}\n${"rm /srv/{$A}\n".repeat(1000)}`, {}],
    ["slashes", `rm '/etc/ssh${"/".repeat(60_000)}x'`, {}],
    ["a value that doubles itself", `A=${"x".repeat(16)}\n${"A=$A$A\n".repeat(60)}`, {}],
    ["arguments that double themselves", `set -- a b\n${'set -- "$@" "$@"\n'.repeat(60)}`, {}],
    ["arguments in one word", `set -- a b\nx ${'"$@"'.repeat(100_000)}`, {}],
    ["what printf prints", `printf '${"a".repeat(500_000)}%s' ${"b ".repeat(1500)} | sh`, {}],
    ["a file that is read again and again", "sh /x\n".repeat(4000), { "/x": `#${"a".repeat(LONG)}\n` }],
    ["execline", "exec /x", { "/x": `#!/bin/execlineb\n${repeated("{ a } ")}` }],
  ])("%s of a million characters ends within seconds", (_, text, files) => {
    const script = `#!/bin/sh\n${text}\nexec /usr/sbin/sshd $A\n`;
    const { result, cpuSeconds } = timed(() => image(["/entry"], { ...files, "/entry": script }));
    expect(result?.limit ?? "").toMatch(/^$|read$|lies there$/);
    expect(cpuSeconds).toBeLessThan(15);
  });

  test.each(["/usr/bin/entry.sh", "/bin/entry", "/usr/sbin/start"])(
    "a script among the system's programs: %s",
    (path) => {
      const files = { [path]: "#!/bin/sh\nconfigure-sshd\nexec /usr/sbin/sshd -o PermitTunnel=yes\n" };
      const found = { options: ["PermitTunnel=yes"], limit: null };
      expect(image([path], files)).toMatchObject(found);
      expect(image([path.replace(/.*\//, "")], files)).toMatchObject(found);
      const change = "#!/bin/sh\nsed -i s/no/yes/ /etc/ssh/sshd_config\n";
      expect(image([path], { ...files, "/usr/bin/configure-sshd": change })?.limit).toContain(
        "/usr/bin/configure-sshd changes /etc/ssh/sshd_config",
      );
    },
  );

  test("functions of its own by the name of the system's", () => {
    const files = {
      "/entry": "#!/bin/sh\n. /app/functions.sh\nconfigure\nexec /usr/sbin/sshd\n",
      "/app/functions.sh": "configure() { sed -i s/no/yes/ /etc/ssh/sshd_config; }\n",
    };
    expect(image(["/entry"], files)?.limit).toContain("changes /etc/ssh/sshd_config");
  });

  test("what stands behind too many words is not forgotten", () => {
    const text = `#!/bin/sh\nsed -i s/no/yes/ ${"x ".repeat(3000)} /etc/ssh/sshd_config\nexec /usr/sbin/sshd\n`;
    expect(image(["/entry"], { "/entry": text })?.limit).toContain("a script that is too long");
  });
});

describe("init scripts", () => {
  const OPENRC = `#!/sbin/openrc-run
: \${cfgfile:=\${SSHD_CONFIG:-"\${SSHD_CONFDIR:-"/etc/ssh"}/sshd_config"}}
pidfile="\${SSHD_PIDFILE:-"/run/$RC_SVCNAME.pid"}"
command="\${SSHD_BINARY:-"/usr/sbin/sshd"}"
command_args="\${command_args:-\${SSHD_OPTS:-}}"
checkconfig() {
	[ "$pidfile" != "/run/sshd.pid" ] \\
		&& command_args="$command_args -o PidFile=$pidfile"
	[ "$cfgfile" != "/etc/ssh/sshd_config" ] \\
		&& command_args="$command_args -f $cfgfile"
	"$command" -t $command_args || return 1
}
start_pre() {
	checkconfig
}
`;
  const GENTOO = `#!/sbin/openrc-run
: \${SSHD_CONFDIR:=\${RC_PREFIX%/}/etc/ssh}
: \${SSHD_CONFIG:=\${SSHD_CONFDIR}/sshd_config}
command="\${RC_PREFIX%/}/usr/sbin/sshd"
pidfile="/run/\${SVCNAME}.pid"
command_args="\${SSHD_OPTS} -o PidFile=\${pidfile} -f \${SSHD_CONFIG}"
`;
  const RED_HAT = `#!/bin/bash
. /etc/rc.d/init.d/functions
[ -f /etc/sysconfig/sshd ] && . /etc/sysconfig/sshd
prog="sshd"
SSHD=/usr/sbin/sshd
runlevel=$(set -- $(runlevel); eval "echo \\$$#" )
do_restart_sanity_check() {
	$SSHD -t
}
start()
{
	[ -x $SSHD ] || exit 5
	echo -n $"Starting $prog: "
	$SSHD $OPTIONS && success || failure
	RETVAL=$?
}
stop() { killproc -p $PID_FILE $SSHD; }
case "$1" in
	start) start ;;
	stop) stop ;;
	restart) stop; start ;;
	condrestart|try-restart)
		if [ -f /var/lock/subsys/sshd ] ; then
			do_restart_sanity_check
			if [ $RETVAL -eq 0 ] ; then stop; start; fi
		fi ;;
	*) echo "Usage: $0 {start|stop}"; RETVAL=2
esac
exit $RETVAL
`;
  const RUN =
    "#!/usr/bin/env /lib/runit/invoke-run\nexec 2>&1\n/usr/sbin/sshd -t || exit 162\nexec /usr/sbin/sshd -D -e $SSHD_OPTS\n";
  const RUNIT: ServerTree = { "/sbin/init": { link: "/lib/runit/runit-init" }, "/etc/service/ssh/run": RUN };
  const DEFAULTS = "/etc/default/ssh";
  const open: ServerTree = { [DEFAULTS]: "SSHD_OPTS='-o PermitTunnel=yes'\n" };
  const tunnel = (source: string): StartOptions => ({ ...NO_OPTIONS, options: ["PermitTunnel=yes"], source });

  test.each<[string, ServerTree, StartOptions]>([
    ["Alpine's", { "/etc/init.d/sshd": OPENRC, "/etc/conf.d/sshd": "# stock\n" }, NO_OPTIONS],
    [
      "Alpine's with options",
      { "/etc/init.d/sshd": OPENRC, "/etc/conf.d/sshd": 'command_args="-o PermitTunnel=yes"\n' },
      tunnel("/etc/conf.d/sshd"),
    ],
    [
      "Alpine's with another file",
      { "/etc/init.d/sshd": OPENRC, "/etc/conf.d/sshd": 'cfgfile="/srv/sshd"\n' },
      { ...NO_OPTIONS, configFile: "/srv/sshd", source: "/etc/conf.d/sshd" },
    ],
    [
      "Gentoo's",
      { "/etc/init.d/sshd": GENTOO },
      {
        ...NO_OPTIONS,
        options: ["PidFile=/run/sshd.pid"],
        configFile: "/etc/ssh/sshd_config",
        source: "/etc/init.d/sshd",
      },
    ],
    ["Red Hat's", { "/etc/init.d/sshd": RED_HAT }, NO_OPTIONS],
    [
      "Red Hat's with options",
      { "/etc/init.d/sshd": RED_HAT, "/etc/sysconfig/sshd": "OPTIONS='-o PermitTunnel=yes'\n" },
      tunnel("/etc/sysconfig/sshd"),
    ],
    ["runit's", RUNIT, NO_OPTIONS],
    ["runit's with options", { ...RUNIT, ...open }, tunnel(DEFAULTS)],
    [
      "another init than systemd, which leaves units unread",
      {
        ...RUNIT,
        "/lib/systemd/system/ssh.service": "[Service]\nExecStart=/usr/sbin/sshd -D -o GatewayPorts=yes\n",
      },
      NO_OPTIONS,
    ],
    [
      "systemd, which leaves scripts unread",
      {
        "/sbin/init": { link: "/lib/systemd/systemd" },
        "/lib/systemd/system/ssh.service": "[Service]\nExecStart=/usr/sbin/sshd -D\n",
        "/etc/init.d/ssh": "/usr/sbin/sshd -o GatewayPorts=yes\n",
      },
      NO_OPTIONS,
    ],
    [
      "an argument that only people give",
      {
        "/etc/init.d/ssh": `. ${DEFAULTS}\nif [ -n "$2" ]; then SSHD_OPTS="$SSHD_OPTS $2"; fi\n/usr/sbin/sshd $SSHD_OPTS\n`,
        ...open,
      },
      tunnel(DEFAULTS),
    ],
  ])("%s", (_, files, expected) => {
    expect(startOptions(folderTree(makeRoot(files)))).toEqual(expected);
  });

  test.each<[string, string, string]>([
    [
      "computed",
      "OPTS=$(cat /etc/ssh/options)\n/usr/sbin/sshd $OPTS\n",
      "/etc/init.d/ssh starts sshd with options that a shell computes: they are not read",
    ],
    [
      "a choice",
      "[ -e /x ] && OPTS='-p 23'\n/usr/sbin/sshd $OPTS\n",
      "/etc/init.d/ssh starts sshd with options that depend on what it meets: not all of them are read",
    ],
    [
      "no sshd in it",
      "exec /opt/start\n",
      "/etc/init.d/ssh runs /opt/start, which is not there: options that it gives sshd are not read",
    ],
    [
      "nothing",
      "# a stub\n",
      "/etc/init.d/ssh does not say how it starts sshd: options that it gives are not read",
    ],
  ])("a limit: %s", (_, text, limit) => {
    expect(startOptions(folderTree(makeRoot({ "/etc/init.d/ssh": text }))).limit).toBe(limit);
  });

  describe.each(["bookworm", "trixie", "bookworm-sysv", "bookworm-openrc", "bookworm-runit"])(
    "the stock host %s",
    (base) => {
      testUnless(whyNoHost(base), "gives sshd no options", () => {
        expect(startOptions(folderTree(join(LAB, base)))).toEqual(NO_OPTIONS);
      });
    },
  );
});

/** What the programs that scripts call do with their words: the one place that knows. How it is read: shell-usage.ts. */

/** What a program does with a word. */
export type Role =
  /** nothing to it */
  | "read"
  /** a file that it makes or changes */
  | "write"
  /** a file, or a folder with all in it, that it takes away or hides */
  | "remove"
  /** a folder into which things come by names that the words do not tell */
  | "fill"
  /** what comes to `target`, under its own name if that is a folder; it goes from its place with `move` */
  | "copy"
  | "move"
  | "target"
  /** what comes into the working folder by the name with which it ends */
  | "fetch"
  /** the name of what comes into the working folder */
  | "member"
  /** "template:file" of which the second is made */
  | "pair"
  /** where relative names begin from here on */
  | "folder"
  /** another root for a command */
  | "root"
  /** a file that goes, and leaves its content without its ending, or one that such a file becomes: sshd_config.gz */
  | "unpacked"
  /** a program of sed or awk, which may write files that it names; the file of one */
  | "code"
  | "coded"
  /** the text, or the file, of a program in the row's language */
  | "text"
  | "script"
  /** what a script or text is given */
  | "argument"
  /** another program, with all words from here on */
  | "command"
  /** one of its subcommands, with all words from here on */
  | "subcommand"
  /** a file, or a folder of files, that says what it does; the name of a package that it brings */
  | "rules"
  | "package"
  /** text that becomes words before those that follow */
  | "split"
  /** the name of a variable that a command does not get */
  | "unset"
  /** what stands in a command for each word of its input; a file of such words */
  | "placeholder"
  | "words";

export interface Usage {
  /** options with a value, by what becomes of it: "t target-directory"; others have none */
  readonly values?: Readonly<Partial<Record<Role, string>>>;
  /** letters of options whose value, if any, is joined to them */
  readonly joined?: string;
  /** the first word holds options without a dash: tar(1) */
  readonly bundled?: true;
  /** of the first operands */
  readonly first?: readonly Role[];
  /** of the others */
  readonly operands?: Role;
  /** of the last one, unless an option has this role */
  readonly last?: Role | null;
  /** its working folder is filled, unless its words say what comes there */
  readonly fills?: boolean;
  /** by which name what is copied comes into a folder; `content`: without its own, `path`: with its folders; default: its last */
  readonly under?: "content" | "path";
  /** a slash behind a folder means its content */
  readonly slash?: true;
  /** it leaves in a folder what was there */
  readonly adds?: boolean;
  /** of texts, scripts and its standard input */
  readonly language?: "shell" | "other";
  /** NAME=VALUE before a command */
  readonly assigns?: true;
  /** what a command is given to */
  readonly shell?: "sh" | "bash" | null;
  /** the command gets words of the standard input, too */
  readonly given?: true;
  /** it prints names of files, among them those of its words */
  readonly lists?: boolean;
  /** it brings what is not here: what it prints may be a script that does anything */
  readonly fetches?: true;
  /** it finds sshd's file by itself, as files of its own say: those of this folder, or "anything" */
  readonly applies?: string;
  readonly subcommands?: Readonly<Record<string, Usage>>;
  /** what is different with one of these options; "i=inplace": with this value; later ones win */
  readonly when?: Readonly<Record<string, Usage>>;
}

const READS: Usage = {};
const LISTS: Usage = { lists: true };
const WRITES: Usage = { operands: "write" };
const RUNS: Usage = { operands: "command" };
/** `gosu USER COMMAND` */
const RUNS_SECOND: Usage = { first: ["read"], operands: "command" };
const SHELL: Usage = {
  language: "shell",
  values: { read: "o O rcfile init-file" },
  first: ["script"],
  operands: "argument",
  when: { s: { first: [] }, c: { first: ["text"] } },
};
const SED: Usage = {
  values: { code: "e expression", coded: "f file", read: "l line-length" },
  joined: "i",
  first: ["code"],
  when: { "e expression f file": { first: [] }, "i in-place": { operands: "write" } },
};
const AWK: Usage = {
  values: {
    read: "F field-separator i include l load",
    argument: "v assign",
    code: "e source",
    coded: "f file",
  },
  first: ["code"],
  when: { "f file e source": { first: [] }, "i=inplace include=inplace": { operands: "write" } },
};
const TAR: Usage = {
  values: {
    read: "f file T files-from b blocking-factor X exclude-from g listed-incremental I use-compress-program K starting-file N newer V label exclude transform xform strip-components owner group mode mtime format to-command",
    folder: "C directory",
  },
  bundled: true,
  when: {
    "x extract get": { operands: "member", fills: true },
    "strip-components transform xform": { operands: "read" },
    "t list c create to-stdout O": { operands: "read", fills: false },
  },
};
const COPIES: Usage = {
  values: { read: "S suffix", target: "t target-directory" },
  operands: "copy",
  last: "target",
  when: { "T no-target-directory": { under: "content" } },
};
const AS_USER: Usage = {
  language: "shell",
  values: {
    text: "c command session-command",
    read: "s shell g group G supp-group w whitelist-environment T",
  },
  first: ["read"],
  operands: "command",
  shell: "sh",
  when: { "c command session-command": { operands: "argument" } },
};
const PERL: Usage = {
  language: "other",
  values: { text: "e E" },
  joined: "iFxDMmI",
  first: ["script"],
  operands: "argument",
  when: { "e E": { first: [] }, i: { operands: "write" } },
};
const TEMPLATES: Usage = {
  values: {
    pair: "template",
    read: "wait timeout stdout stderr env env-section wait-retry-interval delims wait-http-header consul-addr vault-addr log-level",
    text: "exec",
  },
  operands: "command",
  language: "shell",
};

/** Its objects come under names that nobody knows here, where there may be many. */
const FROM_A_CLOUD: Usage = {
  values: { read: "region profile endpoint-url exclude include sse acl storage-class" },
  operands: "copy",
  last: "target",
  adds: true,
  when: { "recursive r R": { under: "content" } },
};
const SYNCED_FROM_A_CLOUD: Usage = { ...FROM_A_CLOUD, under: "content" };

type Row = readonly [names: string, usage: Usage];

/** Made when a script asks for the first time: most runs read none. */
const makeTable = (): readonly Row[] => [
  // they leave what they are given as it is
  [
    "test [ [[ cat file mkdir touch chmod chown chgrp type hash pidof pidofproc pgrep pkill kill killall killproc " +
      "status status_of_proc checkproc rc_status setcap getcap strings ps fuser useradd adduser usermod groupadd addgroup " +
      "passwd chpasswd id getent restorecon chcon success failure checkpath update-rc.d chkconfig " +
      "rc-update systemctl logger ssh-keygen sv ebegin einfo ewarn eerror eend diff cmp head tail cut sort wc md5sum " +
      "sha1sum sha256sum sha512sum cksum envsubst tr chattr lsattr less more nl column od hexdump zcat xzcat bzcat zstdcat " +
      "getfacl setfacl inotifywait ssh-audit sshd-policy lynis jq sleep wait date uname hostname " +
      "log_daemon_msg log_end_msg log_progress_msg log_action_msg log_success_msg log_failure_msg log_warning_msg " +
      "log_begin_msg log_action_begin_msg log_action_end_msg log_action_cont_msg log_use_fancy_output " +
      "dpkg-query dpkg-statoverride dpkg-architecture",
    READS,
  ],
  ["ssh nc ncat netcat base64 base32", { fetches: true }],
  ["basename dirname which", READS],
  ["echo printf ls readlink realpath find fd locate", LISTS],
  ["grep egrep fgrep zgrep rg", { when: { "l files-with-matches L files-without-match": LISTS } }],

  // they copy and move
  ["cp", { ...COPIES, adds: true, when: { ...COPIES.when, parents: { under: "path" } } }],
  ["mv", { ...COPIES, operands: "move" }],
  ["ln", COPIES],
  [
    "install",
    {
      ...COPIES,
      values: { read: "S suffix g group m mode o owner strip-program", target: "t target-directory" },
      when: { ...COPIES.when, "d directory": { operands: "read", last: null } },
    },
  ],
  [
    "rsync",
    {
      values: {
        read: "e rsh T temp-dir f filter B block-size M remote-option exclude include exclude-from include-from files-from log-file password-file port bwlimit timeout suffix backup-dir compare-dest copy-dest link-dest chmod chown usermap groupmap partial-dir out-format max-size min-size rsync-path",
      },
      operands: "copy",
      last: "target",
      slash: true,
      adds: true,
      when: {
        "del delete delete-before delete-during delete-delay delete-after delete-excluded": { adds: false },
        "R relative": { under: "path" },
        "files-from": { under: "content" },
      },
    },
  ],
  ["scp", { values: { read: "c D F i J l o P S X" }, operands: "copy", last: "target", adds: true }],
  [
    "wget",
    {
      fetches: true,
      values: {
        write: "O output-document",
        folder: "P directory-prefix",
        read: "o output-file a append-output e execute i input-file B base t tries T timeout U user-agent user password header post-data",
      },
      operands: "fetch",
      when: {
        "O output-document": { operands: "read" },
        "r recursive m mirror i input-file": { fills: true },
      },
    },
  ],
  [
    "curl",
    {
      fetches: true,
      values: {
        write: "o output",
        folder: "output-dir",
        read: "A user-agent b cookie c cookie-jar C continue-at d data data-raw data-binary D dump-header e referer E cert F form H header K config m max-time Q quote r range T upload-file u user w write-out x proxy X request y Y z retry retry-delay connect-timeout cacert resolve url",
      },
      when: { "O remote-name remote-name-all": { operands: "fetch" } },
    },
  ],

  // they bring files of a cloud's storage
  [
    "aws",
    {
      values: {
        read: "region profile endpoint-url output query cli-connect-timeout cli-read-timeout ca-bundle color",
      },
      fetches: true,
      first: ["subcommand"],
      subcommands: {
        s3: {
          values: { read: "region profile endpoint-url" },
          first: ["subcommand"],
          subcommands: { "cp mv": FROM_A_CLOUD, sync: SYNCED_FROM_A_CLOUD },
        },
      },
    },
  ],
  [
    "gsutil",
    {
      values: { read: "o h u i" },
      fetches: true,
      first: ["subcommand"],
      subcommands: { "cp mv": FROM_A_CLOUD, rsync: SYNCED_FROM_A_CLOUD },
    },
  ],
  [
    "gcloud",
    {
      fetches: true,
      first: ["subcommand"],
      subcommands: {
        storage: {
          first: ["subcommand"],
          subcommands: { "cp mv": FROM_A_CLOUD, rsync: SYNCED_FROM_A_CLOUD },
        },
      },
    },
  ],
  [
    "s3cmd s5cmd mc rclone azcopy",
    {
      values: { read: "c config" },
      fetches: true,
      first: ["subcommand"],
      subcommands: {
        "get cp mv copyto moveto": FROM_A_CLOUD,
        "sync copy move mirror": SYNCED_FROM_A_CLOUD,
      },
    },
  ],

  // they change files
  [
    "gzip xz lzma bzip2 lz4 zstd",
    {
      values: { write: "o", read: "S suffix T threads" },
      operands: "remove",
      when: {
        "d decompress uncompress": { operands: "unpacked" },
        "c stdout to-stdout t test l list k keep o": { operands: "read" },
      },
    },
  ],
  [
    "gunzip unxz unlzma bunzip2 unlz4 unzstd uncompress",
    {
      values: { write: "o", read: "S suffix T threads" },
      operands: "unpacked",
      when: { "c stdout to-stdout t test l list o": { operands: "read" } },
    },
  ],
  [
    "xxd",
    {
      values: { read: "c cols g groupsize l len s seek o" },
      when: { "r revert": { first: ["read"], operands: "write" } },
    },
  ],
  ["envtpl", { values: { write: "o output-file" }, operands: "unpacked" }],
  ["tee sponge ed ex vi vim nvim nano emacs truncate unlink", WRITES],
  ["rm shred", { operands: "remove" }],
  [
    "mount bindfs fuse-overlayfs unionfs mergerfs sshfs s3fs gcsfuse goofys",
    { values: { read: "t types o options L label U uuid O test-opts source target-prefix" }, last: "remove" },
  ],
  ["dd", { values: { write: "of=" } }],
  ["sed", SED],
  ["awk gawk mawk nawk", AWK],
  ["sort", { values: { write: "o output", read: "k key t field-separator S buffer-size T" } }],
  [
    "uniq",
    { values: { read: "f s w skip-fields skip-chars check-chars" }, first: ["read"], operands: "write" },
  ],
  [
    "crudini",
    {
      values: { write: "output", read: "format existing" },
      when: { "set del merge": { first: ["write"] } },
    },
  ],
  [
    "augtool",
    {
      applies: "anything",
      language: "other",
      values: { script: "f file", root: "r root", read: "I include L lens t transform l" },
      operands: "text",
    },
  ],
  [
    "gomplate",
    {
      values: {
        write: "o out",
        fill: "output-dir",
        read: "f file i in input-dir d datasource c context t template H datasource-header plugin exclude include left-delim right-delim chmod output-map",
      },
      operands: "command",
    },
  ],
  ["dockerize", TEMPLATES],
  ["consul-template", { ...TEMPLATES, values: { ...TEMPLATES.values, rules: "config" } }],
  [
    "envconsul",
    { values: { rules: "config", read: "prefix secret upcase consul-addr vault-addr" }, operands: "command" },
  ],
  ["vault", { first: ["subcommand"], subcommands: { agent: { values: { rules: "config" } } } }],
  ["dpkg-divert", { values: { write: "divert", read: "package admindir root" }, operands: "write" }],

  // they fill folders
  ["tar bsdtar gtar", TAR],
  [
    "unzip",
    {
      values: { folder: "d", read: "P" },
      first: ["read"],
      operands: "member",
      fills: true,
      when: {
        j: { operands: "read" },
        x: { operands: "read" },
        "l t v p c Z": { operands: "read", fills: false },
      },
    },
  ],
  [
    "7z 7za 7zr",
    {
      values: { folder: "o" },
      first: ["subcommand"],
      subcommands: {
        x: { values: { folder: "o" }, first: ["read"], operands: "member", fills: true },
        e: { values: { folder: "o" }, first: ["read"], fills: true },
      },
    },
  ],
  ["unsquashfs", { values: { folder: "d dest" }, first: ["read"], operands: "member", fills: true }],
  [
    "cpio",
    {
      values: { folder: "D directory", read: "F I O H C E R M file format pattern-file owner block-size" },
      when: {
        "i extract": { operands: "member", fills: true },
        "p pass-through": { operands: "fill", fills: false },
        "t list": { operands: "read", fills: false },
      },
    },
  ],
  [
    "patch",
    {
      values: {
        folder: "d directory",
        write: "o output",
        read: "p strip i input F fuzz B prefix z suffix r reject-file D ifdef V version-control Y basename-prefix",
      },
      first: ["write"],
      fills: true,
      when: { "dry-run": { first: [], fills: false } },
    },
  ],
  [
    "dpkg dpkg-deb",
    {
      values: { read: "root admindir instdir D debug" },
      when: {
        "i install unpack configure": { operands: "package" },
        "x extract X vextract": { first: ["read"], operands: "fill" },
      },
    },
  ],
  [
    "git",
    {
      values: { folder: "C work-tree", read: "c git-dir exec-path" },
      first: ["subcommand"],
      subcommands: {
        clone: {
          values: {
            read: "b branch o origin c config depth reference u upload-pack template j jobs separate-git-dir filter",
          },
          first: ["fetch"],
          operands: "fill",
        },
        "pull checkout switch reset restore stash apply am merge rebase revert cherry-pick": { fills: true },
        "ls-files": LISTS,
      },
    },
  ],

  [
    "hg svn bzr",
    {
      first: ["subcommand"],
      values: { folder: "R repository cwd", read: "config" },
      subcommands: {
        "checkout co clone export branch": {
          values: { read: "r revision" },
          first: ["fetch"],
          operands: "fill",
        },
        "update up pull switch sw revert merge": { operands: "fill", fills: true },
      },
    },
  ],
  ["restic", { first: ["subcommand"], subcommands: { restore: { values: { fill: "t target" } } } }],
  ["borg", { first: ["subcommand"], subcommands: { extract: { fills: true } } }],
  [
    "unrar",
    { first: ["subcommand"], subcommands: { "x e": { first: ["read"], last: "fill", fills: true } } },
  ],
  ["pax", { values: { read: "f s x" }, when: { r: { operands: "member", fills: true } } }],
  ["stow", { values: { fill: "t target", read: "d dir" } }],

  // they do what files of their own say
  [
    "ansible ansible-playbook ansible-pull chef-client chef-solo chef-apply cinc-client cinc-solo puppet salt-call " +
      "cf-agent bcfg2 chezmoi cloud-init coreos-cloudinit",
    { applies: "anything" },
  ],
  ["apk apt apt-get rpm dnf microdnf yum zypper pacman dpkg-reconfigure", { operands: "package" }],
  ["confd", { applies: "/etc/confd/conf.d", when: { confdir: { applies: "anything" } } }],

  [
    "supervisord",
    {
      values: {
        script: "c configuration",
        folder: "d directory",
        read: "u user m umask l logfile y logfile_maxbytes z logfile_backups e loglevel j pidfile i identifier q childlogdir a minfds minprocs profile_options",
      },
    },
  ],

  // they run another program
  ["tini tini-static docker-init", { values: { read: "p e" }, operands: "command" }],
  ["dumb-init", { values: { read: "r rewrite" }, operands: "command" }],
  [
    "catatonit nohup setsid with-contenv busybox toybox builtin dbus-run-session chronic unbuffer eatmydata fakeroot prlimit",
    RUNS,
  ],
  ["gosu su-exec setuidgid s6-setuidgid s6-envdir envdir taskset chrt setarch faketime", RUNS_SECOND],
  [
    "env",
    {
      values: { unset: "u unset", folder: "C chdir", split: "S split-string" },
      operands: "command",
      assigns: true,
    },
  ],
  ["nice", { values: { read: "n adjustment" }, operands: "command" }],
  ["ionice", { values: { read: "c class n classdata p pid P pgid u uid" }, operands: "command" }],
  ["timeout", { values: { read: "k kill-after s signal" }, first: ["read"], operands: "command" }],
  ["time", { values: { write: "o output", read: "f format" }, operands: "command" }],
  ["stdbuf", { values: { read: "i input o output e error" }, operands: "command" }],
  [
    "numactl",
    {
      values: { read: "i interleave p preferred m membind C physcpubind N cpunodebind" },
      operands: "command",
    },
  ],
  [
    "strace ltrace",
    { values: { read: "e p s u a E I O P S U X b", write: "o output" }, operands: "command" },
  ],
  [
    "sudo",
    {
      values: {
        read: "u user g group C close-from h host p prompt r role t type T command-timeout U other-user a auth-type",
        folder: "D chdir",
      },
      operands: "command",
      assigns: true,
    },
  ],
  ["doas", { values: { read: "a C u" }, operands: "command" }],
  ["chpst", { values: { read: "u U b e d n l L m o p f c r t /", folder: "C" }, operands: "command" }],
  ["softlimit", { values: { read: "a c d f l m o p r s t" }, operands: "command" }],
  [
    "setpriv",
    {
      values: {
        read: "reuid ruid euid regid rgid egid groups inh-caps ambient-caps bounding-set securebits pdeathsig ptracer selinux-label apparmor-profile",
      },
      operands: "command",
    },
  ],
  ["capsh", { operands: "command", shell: "bash" }],
  [
    "unshare",
    {
      values: {
        read: "S setuid G setgid map-user map-group map-users map-groups propagation setgroups",
        folder: "w wd",
        root: "R root",
      },
      operands: "command",
    },
  ],
  ["nsenter", { values: { read: "t target S setuid G setgid" }, operands: "command" }],
  ["chroot switch_root", { values: { read: "userspec groups c" }, first: ["root"], operands: "command" }],
  ["command", { operands: "command", when: { "v V": { operands: "read" } } }],
  [
    "daemon",
    {
      values: {
        read: "n name u user F pidfile p o output O stdout E stderr l errlog e env U umask t L delay A attempts",
        folder: "D chdir",
      },
      operands: "command",
    },
  ],
  ["daemonize", { values: { read: "e o p l u E", folder: "c" }, operands: "command" }],
  ["startproc", { values: { read: "f l p P n u g t i" }, operands: "command" }],
  ["s6-notifyoncheck", { values: { read: "3 s T t w n c" }, operands: "command" }],
  ["s6-applyuidgid", { values: { read: "u g G" }, operands: "command" }],
  ["cgexec", { values: { read: "g" }, operands: "command" }],
  ["systemd-cat", { values: { read: "t identifier p priority" }, operands: "command" }],
  [
    "xargs",
    {
      values: {
        read: "n max-args P max-procs L s max-chars d delimiter E",
        placeholder: "I replace",
        words: "a arg-file",
      },
      joined: "ile",
      operands: "command",
      given: true,
    },
  ],

  // they run what a shell reads, or what an interpreter of another language does
  ["su", AS_USER],
  [
    "runuser",
    {
      ...AS_USER,
      values: { ...AS_USER.values, read: `${AS_USER.values?.read ?? ""} u user` },
      when: { ...AS_USER.when, "u user": { first: [], operands: "command", shell: null } },
    },
  ],
  [
    "sg",
    {
      language: "shell",
      values: { text: "c" },
      first: ["read"],
      operands: "text",
      when: { c: { operands: "argument" } },
    },
  ],
  [
    "script",
    {
      language: "shell",
      values: { text: "c command", read: "I log-in O log-out B log-io T log-timing m E echo o output-limit" },
      operands: "write",
    },
  ],
  [
    "flock",
    {
      language: "shell",
      values: { text: "c command", read: "w timeout wait E conflict-exit-code" },
      first: ["read"],
      operands: "command",
    },
  ],
  ["sh bash dash ash ksh zsh", SHELL],
  ["at batch", { language: "shell", values: { script: "f", read: "q t" }, operands: "read" }],
  ["perl", PERL],
  ["ruby", { ...PERL, values: { text: "e", read: "I E r", folder: "C" }, joined: "iFxTWK" }],
  ["python", { ...PERL, values: { text: "c", read: "W X m Q" }, joined: "", when: { "c m": { first: [] } } }],
  [
    "node nodejs",
    {
      ...PERL,
      values: { text: "e eval p print", read: "r require import" },
      joined: "",
      when: { "e eval p print": { first: [] } },
    },
  ],
  [
    "php",
    {
      ...PERL,
      values: { text: "r", script: "f file", read: "c d S t z B R E F" },
      joined: "",
      when: { "r f file": { first: [] } },
    },
  ],
  ["lua tclsh", { ...PERL, values: { text: "e", read: "l" }, joined: "", when: { e: { first: [] } } }],
];

let rows: ReadonlyMap<string, Usage> | undefined;

/** By the name of a program, also of a release of it (python3.11); null: it is not known. */
export function usageOf(name: string): Usage | null {
  rows ??= new Map(
    makeTable().flatMap(([names, usage]) => names.split(" ").map((each) => [each, usage] as const)),
  );
  return rows.get(name) ?? rows.get(name.replace(/[\d.]+$/, "")) ?? null;
}

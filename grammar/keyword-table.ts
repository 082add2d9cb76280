/**
 * The keywords of sshd_config, OpenSSH 7.4 to 10.6, as data.
 *
 * Sources, unless a row names its own: names, scope and status from `keywords[]` of servconf.c (from 10.4
 * SSHD_CONFIG_ENTRIES of servconf.h) of every tag; form and rule from process_server_config_line(_depth); defaults
 * from fill_default_server_options; printing from dump_config. test/keywords.test.ts compares them with the tags.
 */
import type { AliasRow, KeywordRow, RetiredRow } from "./keywords.ts";

const DEBIAN = ["debian", "ubuntu"] as const;
const RED_HAT = ["rhel", "fedora"] as const;
const GSS_KEX_VENDORS = [...DEBIAN, ...RED_HAT] as const;
const GSS_KEX = "Debian patch gssapi.patch; Debian's 9.2p1 -T; 10.6p1-1 refuses them (semantics 1.6)";

/** One row a keyword, with the facts of 7.4 (or of `since`); `changes` say what became different later. */
export const KEYWORDS: readonly KeywordRow[] = [
  // Forwarding
  { name: "AllowTcpForwarding", form: "tcp-forwarding", match: true, default: "yes" },
  { name: "AllowStreamLocalForwarding", form: "tcp-forwarding", match: true, default: "yes" },
  { name: "AllowAgentForwarding", form: "flag", match: true, default: "yes" },
  { name: "DisableForwarding", form: "flag", match: true, default: "no" },
  { name: "GatewayPorts", form: "gateway-ports", match: true, default: "no" },
  { name: "PermitOpen", form: "permit-open", sets: "first-line", match: true, default: "any" },
  {
    name: "PermitListen",
    form: "permit-listen",
    sets: "first-line",
    match: true,
    default: "any",
    since: "7.8",
  },
  { name: "PermitTunnel", form: "tunnel", match: true, default: "no" },
  {
    name: "StreamLocalBindMask",
    form: "octal-mode",
    sets: "last",
    match: true,
    default: "0177",
    changes: [{ from: "10.6", sets: "first", source: "semantics 0.1, run on Debian's 10.6p1" }],
  },
  { name: "StreamLocalBindUnlink", form: "flag", match: true, default: "no" },
  { name: "X11Forwarding", form: "flag", match: true, default: "no" },
  { name: "X11DisplayOffset", form: "integer", match: true, default: "10" },
  { name: "X11UseLocalhost", form: "flag", match: true, default: "yes" },
  {
    name: "XAuthLocation",
    form: "file",
    default: "/usr/X11R6/bin/xauth",
    changes: [{ from: "7.4", vendors: GSS_KEX_VENDORS, default: "/usr/bin/xauth" }],
  },
  {
    name: "AgentSocketPath",
    form: "agent-path",
    match: true,
    default: "user:.ssh/agent",
    since: "10.6",
    source: "man page and -T of Debian's 10.6p1",
  },

  // Sessions
  { name: "ForceCommand", form: "raw", match: true, default: "none" },
  { name: "ChrootDirectory", form: "string", match: true, default: "none" },
  { name: "MaxSessions", form: "integer", match: true, default: "10" },
  { name: "PermitTTY", form: "flag", match: true, default: "yes" },
  { name: "PermitUserRC", form: "flag", match: true, default: "yes" },
  {
    name: "PermitUserEnvironment",
    form: "flag",
    default: "no",
    changes: [{ from: "7.8", form: "user-environment" }],
  },
  { name: "AcceptEnv", form: "env-names", sets: "append", match: true, print: "each" },
  { name: "SetEnv", form: "env-values", sets: "first-line", match: true, print: "each", since: "7.8" },
  {
    name: "Subsystem",
    form: "subsystem",
    sets: "first-per-name",
    print: "each",
    changes: [{ from: "9.5", match: true }],
  },
  {
    name: "RDomain",
    form: "routing-domain",
    match: true,
    since: "7.7",
    default: "none",
    changes: [
      {
        from: "8.3",
        print: "never",
        source: "servconf.c: HAVE_SYS_SET_PROCESS_RDOMAIN is not defined on Linux",
      },
    ],
  },
  { name: "ExposeAuthInfo", form: "flag", match: true, default: "no", since: "7.6" },
  { name: "ClientAliveInterval", form: "time", match: true, default: "0" },
  { name: "ClientAliveCountMax", form: "integer", match: true, default: "3" },
  {
    name: "ChannelTimeout",
    form: "channel-timeouts",
    sets: "first-line",
    match: true,
    since: "9.2",
    changes: [{ from: "9.3", default: "none" }],
  },
  {
    name: "UnusedConnectionTimeout",
    form: "time-or-none",
    sets: "first-but-none-last",
    match: true,
    default: "none",
    since: "9.2",
  },
  { name: "RekeyLimit", form: "rekey-limit", sets: "first-per-part", match: true, default: "0 0" },
  {
    name: "IPQoS",
    form: "ip-qos",
    sets: "last",
    match: true,
    default: "lowdelay throughput",
    changes: [
      { from: "7.8", default: "af21 cs1" },
      {
        from: "7.8",
        vendors: DEBIAN,
        default: "lowdelay throughput",
        source: "Debian patch revert-ipqos-defaults.patch; Debian's 9.2p1 -T",
      },
      {
        from: "10.0",
        vendors: ["debian"],
        default: "ef cs1",
        source: "Debian 1:10.0p1-7+deb13u3 takes upstream's new handling; its -T",
      },
      { from: "10.1", default: "ef cs0" },
      { from: "10.3", sets: "first" },
    ],
  },
  { name: "RefuseConnection", form: "flag", match: true, default: "no", since: "9.9" },

  // Network
  { name: "Port", form: "port", sets: "append", print: "each", default: "22" },
  { name: "ListenAddress", form: "listen-address", sets: "append", print: "each" },
  { name: "AddressFamily", form: "address-family", default: "any" },
  { name: "UseDNS", form: "flag", default: "no" },
  {
    name: "TCPKeepAlive",
    form: "flag",
    default: "yes",
    changes: [
      {
        from: "10.6",
        form: "keep-alive",
        default: "true",
        source: "semantics 0.1, run on Debian's 10.6p1",
      },
    ],
  },
  { name: "LoginGraceTime", form: "time", default: "120" },
  {
    name: "MaxStartups",
    form: "max-startups",
    sets: "last",
    default: "10:30:100",
    changes: [{ from: "10.1", sets: "first" }],
  },
  {
    name: "PerSourceMaxStartups",
    form: "integer-or-none",
    sets: "last",
    default: "none",
    since: "8.5",
    changes: [{ from: "9.5", sets: "first" }],
  },
  {
    name: "PerSourceNetBlockSize",
    form: "net-block-size",
    sets: "last",
    default: "32:128",
    since: "8.5",
    changes: [{ from: "10.1", sets: "first" }],
  },
  {
    name: "PerSourcePenalties",
    form: "penalties",
    sets: "first-per-key",
    since: "9.8",
    default:
      "crash:90 authfail:5 noauth:1 grace-exceeded:20 max:600 min:15 max-sources4:65536 max-sources6:65536 overflow:permissive overflow6:permissive",
    changes: [
      {
        from: "9.9",
        default:
          "crash:90 authfail:5 noauth:1 grace-exceeded:10 refuseconnection:10 max:600 min:15 max-sources4:65536 max-sources6:65536 overflow:permissive overflow6:permissive",
      },
      {
        from: "10.3",
        default:
          "crash:90.000000 authfail:5.000000 noauth:1.000000 invaliduser:5.000000 grace-exceeded:10.000000 refuseconnection:10.000000 max:600.000000 min:15.000000 max-sources4:65536 max-sources6:65536 overflow:permissive overflow6:permissive",
      },
    ],
  },
  { name: "PerSourcePenaltyExemptList", form: "address-list", default: "none", since: "9.8" },

  // Who can log in
  { name: "AllowUsers", form: "users", sets: "append", match: true, print: "each" },
  { name: "DenyUsers", form: "users", sets: "append", match: true, print: "each" },
  { name: "AllowGroups", form: "groups", sets: "append", match: true, print: "each" },
  { name: "DenyGroups", form: "groups", sets: "append", match: true, print: "each" },
  {
    name: "PermitRootLogin",
    form: "root-login",
    match: true,
    default: "without-password",
    changes: [{ from: "10.1", default: "prohibit-password" }],
  },
  { name: "AuthenticationMethods", form: "auth-methods", sets: "first-line", match: true, default: "any" },
  { name: "PubkeyAuthentication", form: "flag", match: true, default: "yes" },
  { name: "PasswordAuthentication", form: "flag", match: true, default: "yes" },
  { name: "PermitEmptyPasswords", form: "flag", match: true, default: "no" },
  {
    name: "KbdInteractiveAuthentication",
    form: "flag",
    match: true,
    default: "yes",
    source:
      "servconf.c and sshd.c main: up to 8.6 unset means no, then yes where ChallengeResponseAuthentication is yes",
  },
  { name: "ChallengeResponseAuthentication", form: "flag", default: "yes", until: "8.7" },
  { name: "HostbasedAuthentication", form: "flag", match: true, default: "no" },
  { name: "HostbasedUsesNameFromPacketOnly", form: "flag", match: true, default: "no" },
  {
    name: "IgnoreRhosts",
    form: "flag",
    default: "yes",
    changes: [{ from: "8.3", form: "ignore-rhosts", match: true }],
  },
  { name: "IgnoreUserKnownHosts", form: "flag", default: "no" },
  { name: "MaxAuthTries", form: "integer", match: true, default: "6" },
  { name: "StrictModes", form: "flag", default: "yes" },
  {
    name: "PubkeyAuthOptions",
    form: "pubkey-auth-options",
    match: true,
    default: "none",
    since: "8.2",
    changes: [{ from: "10.6", default: "none max-pk-ok:6", source: "-T of Debian's 10.6p1" }],
  },
  {
    name: "AuthorizedKeysFile",
    form: "user-files",
    sets: "first-line",
    match: true,
    default: ".ssh/authorized_keys .ssh/authorized_keys2",
  },
  { name: "AuthorizedKeysCommand", form: "command", match: true, default: "none" },
  { name: "AuthorizedKeysCommandUser", form: "local-user", match: true, default: "none" },
  { name: "AuthorizedPrincipalsFile", form: "user-file", match: true, default: "none" },
  {
    name: "AuthorizedPrincipalsCommand",
    form: "command",
    match: true,
    default: "none",
    // OpenSSH bug 3574 (servconf.c parse_command): nothing looks whether it is set already
    changes: [
      { from: "8.7", sets: "last" },
      { from: "9.4", sets: "first" },
    ],
  },
  { name: "AuthorizedPrincipalsCommandUser", form: "local-user", match: true, default: "none" },
  { name: "TrustedUserCAKeys", form: "file", match: true, default: "none" },
  {
    name: "RevokedKeys",
    form: "file",
    match: true,
    default: "none",
    changes: [{ from: "10.3", form: "user-files", sets: "first-line", default: null }],
  },
  { name: "Banner", form: "file", match: true, default: "none" },
  { name: "UsePAM", form: "flag", default: "no", needs: "pam" },
  {
    name: "PAMServiceName",
    form: "string",
    match: true,
    default: "sshd",
    needs: "pam",
    since: "9.8",
    changes: [{ from: "10.4", to: "10.5", match: false }],
  },
  { name: "KerberosAuthentication", form: "flag", match: true, default: "no", needs: "krb5" },
  { name: "KerberosOrLocalPasswd", form: "flag", default: "yes", needs: "krb5" },
  { name: "KerberosTicketCleanup", form: "flag", default: "yes", needs: "krb5" },
  { name: "KerberosGetAFSToken", form: "flag", default: "no", needs: "afs" },
  {
    name: "GSSAPIAuthentication",
    form: "flag",
    match: true,
    default: "no",
    needs: "gssapi",
    changes: [{ from: "10.4", to: "10.5", name: "GssAuthentication" }],
  },
  {
    name: "GSSAPICleanupCredentials",
    form: "flag",
    default: "yes",
    needs: "gssapi",
    changes: [{ from: "10.4", to: "10.5", name: "GssCleanupCreds" }],
  },
  {
    name: "GSSAPIStrictAcceptorCheck",
    form: "flag",
    default: "no",
    needs: "gssapi",
    print: "never",
    changes: [
      { from: "7.5", default: "yes" },
      {
        from: "7.4",
        vendors: GSS_KEX_VENDORS,
        print: "line",
        source: "Debian patch gssapi.patch; Debian's 9.2p1 -T",
      },
      { from: "10.1", print: "line" },
      { from: "10.4", to: "10.5", name: "GssStrictAcceptor" },
    ],
  },
  {
    name: "GSSAPIDelegateCredentials",
    form: "flag",
    default: "yes",
    needs: "gssapi",
    since: "10.3",
    changes: [{ from: "10.4", to: "10.5", name: "GssDelegateCreds" }],
  },

  // Keys and algorithms
  {
    name: "HostKey",
    form: "host-file",
    sets: "append",
    print: "each",
    default:
      "/etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_dsa_key /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ed25519_key",
    changes: [
      {
        from: "7.7",
        default: "/etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ed25519_key",
      },
      {
        from: "10.5",
        default:
          "/etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ed25519_key /etc/ssh/ssh_host_mldsa44_ed25519_key",
      },
    ],
  },
  { name: "HostCertificate", form: "host-file", sets: "append", print: "each" },
  { name: "HostKeyAgent", form: "agent-socket", default: "none" },
  { name: "SecurityKeyProvider", form: "security-key-provider", default: "internal", since: "8.2" },
  { name: "RequiredRSASize", form: "integer", match: true, default: "1024", since: "9.1" },
  { name: "FingerprintHash", form: "digest", sets: "last", default: "SHA256" },
  { name: "Ciphers", form: "ciphers" },
  { name: "MACs", form: "macs", changes: [{ from: "10.4", name: "Macs" }] },
  { name: "KexAlgorithms", form: "kex" },
  { name: "HostKeyAlgorithms", form: "key-types" },
  {
    name: "HostbasedAcceptedKeyTypes",
    form: "key-types",
    match: true,
    changes: [{ from: "8.5", name: "HostbasedAcceptedAlgorithms" }],
  },
  {
    name: "PubkeyAcceptedKeyTypes",
    form: "key-types",
    match: true,
    changes: [{ from: "8.5", name: "PubkeyAcceptedAlgorithms" }],
  },
  { name: "CASignatureAlgorithms", form: "ca-key-types", match: true, since: "7.9" },

  // The daemon
  { name: "SyslogFacility", form: "log-facility", default: "AUTH" },
  { name: "LogLevel", form: "log-level", default: "INFO", changes: [{ from: "7.6", match: true }] },
  {
    name: "LogVerbose",
    form: "log-verbose",
    sets: "append",
    match: true,
    since: "8.5",
    changes: [{ from: "8.7", sets: "first-line" }],
  },
  {
    name: "PidFile",
    form: "file",
    default: "/var/run/sshd.pid",
    changes: [
      { from: "7.4", vendors: [...DEBIAN, "alpine"], default: "/run/sshd.pid", source: "Debian's 9.2p1 -T" },
    ],
  },
  { name: "ModuliFile", form: "file", default: "/etc/ssh/moduli", since: "8.6" },
  {
    name: "SshdSessionPath",
    form: "file",
    default: "/usr/libexec/sshd-session",
    since: "9.8",
    changes: [
      {
        from: "9.8",
        vendors: DEBIAN,
        default: "/usr/lib/openssh/sshd-session",
        source: "Debian's 10.0p1 package",
      },
    ],
  },
  {
    name: "SshdAuthPath",
    form: "file",
    default: "/usr/libexec/sshd-auth",
    since: "10.0",
    changes: [
      {
        from: "10.0",
        vendors: DEBIAN,
        default: "/usr/lib/openssh/sshd-auth",
        source: "Debian's 10.0p1 package",
      },
    ],
  },
  { name: "PrintMotd", form: "flag", default: "yes" },
  { name: "PrintLastLog", form: "flag", default: "yes", needs: "lastlog" },
  { name: "Compression", form: "compression", default: "yes" },
  { name: "VersionAddendum", form: "version-addendum", default: "none" },
  { name: "UsePrivilegeSeparation", form: "privilege-separation", default: "sandbox", until: "7.5" },
  {
    name: "WarnWeakCrypto",
    form: "weak-crypto",
    default: "true",
    since: "10.6",
    source: "man page and -T of Debian's 10.6p1",
  },

  // Vendors
  {
    name: "DebianBanner",
    form: "flag",
    default: "yes",
    print: "never",
    vendors: DEBIAN,
    source: "Debian patch debian-banner.patch",
    changes: [{ from: "10.0", print: "line", source: "-T of Debian's 8.4, 9.2 and 10.0" }],
  },
  {
    name: "GSSAPIKeyExchange",
    form: "flag",
    default: "no",
    needs: "gssapi-kex",
    vendors: GSS_KEX_VENDORS,
    source: GSS_KEX,
  },
  {
    name: "GSSAPIStoreCredentialsOnRekey",
    form: "flag",
    default: "no",
    needs: "gssapi-kex",
    vendors: GSS_KEX_VENDORS,
    source: GSS_KEX,
  },
  {
    name: "GSSAPIKexAlgorithms",
    form: "gss-kex",
    needs: "gssapi-kex",
    vendors: GSS_KEX_VENDORS,
    since: "8.0",
    source: GSS_KEX,
    default:
      "gss-group14-sha256-,gss-group16-sha512-,gss-nistp256-sha256-,gss-curve25519-sha256-,gss-group14-sha1-,gss-gex-sha1-",
  },
  {
    name: "X11MaxDisplays",
    form: "integer",
    match: true,
    default: "1000",
    vendors: RED_HAT,
    source: "semantics 1.6: Fedora 33 patches",
  },
  {
    name: "KerberosUseKuserok",
    form: "flag",
    match: true,
    default: "yes",
    vendors: RED_HAT,
    source: "semantics 1.6: Fedora 33 patches",
  },
  {
    name: "GSSAPIEnablek5users",
    form: "flag",
    match: true,
    default: "no",
    vendors: RED_HAT,
    source: "semantics 1.6: Fedora 33 patches",
  },
  {
    name: "KerberosUniqueCCache",
    form: "flag",
    default: "no",
    vendors: RED_HAT,
    source: "semantics 1.6: Fedora 33 patches",
  },

  // Structure
  { name: "Match", form: "match", match: true, print: "never" },
  { name: "Include", form: "include", match: true, print: "never", since: "8.2" },
];

/** Other spellings that set a keyword of the table. */
export const ALIASES: readonly AliasRow[] = [
  { name: "HostDSAKey", of: "hostkey" },
  { name: "KeepAlive", of: "tcpkeepalive" },
  { name: "DSAAuthentication", of: "pubkeyauthentication" },
  { name: "HostbasedAcceptedKeyTypes", of: "hostbasedacceptedalgorithms", since: "8.5", match: true },
  { name: "PubkeyAcceptedKeyTypes", of: "pubkeyacceptedalgorithms", since: "8.5", match: true },
  { name: "ChallengeResponseAuthentication", of: "kbdinteractiveauthentication", since: "8.7", match: true },
  { name: "SKeyAuthentication", of: "challengeresponseauthentication", until: "7.8" },
  { name: "SKeyAuthentication", of: "kbdinteractiveauthentication", since: "8.7", match: true },
  {
    name: "GSSAPICleanupCreds",
    of: "gssapicleanupcredentials",
    vendors: GSS_KEX_VENDORS,
    needs: "gssapi-kex",
    source: GSS_KEX,
  },
];

/** Names that sshd takes without using them. */
export const RETIRED: readonly RetiredRow[] = [
  { name: "ServerKeyBits", status: "deprecated" },
  { name: "KeyRegenerationInterval", status: "deprecated" },
  { name: "RhostsAuthentication", status: "deprecated" },
  { name: "RhostsRSAAuthentication", status: "deprecated", match: true },
  { name: "RSAAuthentication", status: "deprecated", match: true },
  { name: "CheckMail", status: "deprecated" },
  { name: "UseLogin", status: "deprecated" },
  { name: "VerifyReverseMapping", status: "deprecated" },
  { name: "ReverseMappingCheck", status: "deprecated" },
  { name: "AuthorizedKeysFile2", status: "deprecated", match: true },
  { name: "UsePrivilegeSeparation", status: "deprecated", since: "7.5" },
  { name: "PAMAuthenticationViaKbdInt", status: "deprecated", until: "10.4" },
  { name: "SKeyAuthentication", status: "deprecated", since: "7.8", until: "8.7" },
  { name: "KerberosTgtPassing", status: "unsupported", until: "10.4" },
  { name: "KerberosTgtPassing", status: "deprecated", since: "10.4" },
  { name: "AFSTokenPassing", status: "unsupported", until: "10.4" },
  { name: "AFSTokenPassing", status: "deprecated", since: "10.4" },
  { name: "Protocol", status: "ignored" },
  {
    name: "PermitBlacklistedKeys",
    status: "deprecated",
    vendors: DEBIAN,
    source: "semantics 1.6: Debian patches",
  },
];

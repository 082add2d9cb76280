/**
 * Algorithm names and default lists of OpenSSH 7.4 to 10.6 built with OpenSSL, as data. Sources: kexalgs[] (kex.c,
 * kex-names.c), ciphers[] (cipher.c), macs[] (mac.c), keytypes[] or keyimpls[] (sshkey.c, ssh-*.c) and myproposal.h of
 * every tag.
 */
import type { Vendor } from "./release.ts";

/** `since` is left out for names older than 7.4; `until` is the first release without the name. */
export interface AlgorithmRow {
  readonly name: string;
  readonly since?: string;
  readonly until?: string;
}

/** Names of an algorithm list as it stands from a release on. */
export interface DefaultRow {
  readonly from: string;
  readonly vendors?: readonly Vendor[];
  readonly names: string;
}

const CERT = "-cert-v01@openssh.com";

/** In the order of the source: wildcards expand in it. */
export const KEX: readonly AlgorithmRow[] = [
  { name: "diffie-hellman-group1-sha1" },
  { name: "diffie-hellman-group14-sha1" },
  { name: "diffie-hellman-group14-sha256" },
  { name: "diffie-hellman-group16-sha512" },
  { name: "diffie-hellman-group18-sha512" },
  { name: "diffie-hellman-group-exchange-sha1" },
  { name: "diffie-hellman-group-exchange-sha256" },
  { name: "ecdh-sha2-nistp256" },
  { name: "ecdh-sha2-nistp384" },
  { name: "ecdh-sha2-nistp521" },
  { name: "mlkem768nistp256-sha256", since: "10.5" },
  { name: "curve25519-sha256" },
  { name: "curve25519-sha256@libssh.org" },
  { name: "sntrup4591761x25519-sha512@tinyssh.org", since: "8.0", until: "8.5" },
  { name: "sntrup761x25519-sha512", since: "9.9" },
  { name: "sntrup761x25519-sha512@openssh.com", since: "8.5" },
  { name: "mlkem768x25519-sha256", since: "9.9" },
];

export const CIPHERS: readonly AlgorithmRow[] = [
  { name: "3des-cbc" },
  { name: "blowfish-cbc", until: "7.6" },
  { name: "cast128-cbc", until: "7.6" },
  { name: "arcfour", until: "7.6" },
  { name: "arcfour128", until: "7.6" },
  { name: "arcfour256", until: "7.6" },
  { name: "aes128-cbc" },
  { name: "aes192-cbc" },
  { name: "aes256-cbc" },
  { name: "rijndael-cbc@lysator.liu.se", until: "8.5" },
  { name: "aes128-ctr" },
  { name: "aes192-ctr" },
  { name: "aes256-ctr" },
  { name: "aes128-gcm@openssh.com" },
  { name: "aes256-gcm@openssh.com" },
  { name: "chacha20-poly1305@openssh.com" },
];

export const MACS: readonly AlgorithmRow[] = [
  { name: "hmac-sha1" },
  { name: "hmac-sha1-96" },
  { name: "hmac-sha2-256" },
  { name: "hmac-sha2-512" },
  { name: "hmac-md5" },
  { name: "hmac-md5-96" },
  { name: "hmac-ripemd160", until: "7.6" },
  { name: "hmac-ripemd160@openssh.com", until: "7.6" },
  { name: "umac-64@openssh.com" },
  { name: "umac-128@openssh.com" },
  { name: "hmac-sha1-etm@openssh.com" },
  { name: "hmac-sha1-96-etm@openssh.com" },
  { name: "hmac-sha2-256-etm@openssh.com" },
  { name: "hmac-sha2-512-etm@openssh.com" },
  { name: "hmac-md5-etm@openssh.com" },
  { name: "hmac-md5-96-etm@openssh.com" },
  { name: "hmac-ripemd160-etm@openssh.com", until: "7.6" },
  { name: "umac-64-etm@openssh.com" },
  { name: "umac-128-etm@openssh.com" },
];

/** DSA is compiled out by default from 9.8 and gone from 10.0 (release notes of 9.8 and 10.0). */
export const KEY_TYPES: readonly AlgorithmRow[] = [
  { name: "ssh-ed25519" },
  { name: `ssh-ed25519${CERT}` },
  { name: "sk-ssh-ed25519@openssh.com", since: "8.2" },
  { name: `sk-ssh-ed25519${CERT}`, since: "8.2" },
  { name: "ssh-mldsa44-ed25519@openssh.com", since: "10.4", until: "10.6" },
  { name: `ssh-mldsa44-ed25519${CERT}`, since: "10.4", until: "10.6" },
  // -T of Debian's 10.6p1
  { name: "ssh-mldsa44-ed25519", since: "10.6" },
  { name: "ssh-mldsa44-ed25519-cert", since: "10.6" },
  { name: "ecdsa-sha2-nistp256" },
  { name: `ecdsa-sha2-nistp256${CERT}` },
  { name: "ecdsa-sha2-nistp384" },
  { name: `ecdsa-sha2-nistp384${CERT}` },
  { name: "ecdsa-sha2-nistp521" },
  { name: `ecdsa-sha2-nistp521${CERT}` },
  { name: "sk-ecdsa-sha2-nistp256@openssh.com", since: "8.2" },
  { name: `sk-ecdsa-sha2-nistp256${CERT}`, since: "8.2" },
  { name: "webauthn-sk-ecdsa-sha2-nistp256@openssh.com", since: "8.4" },
  { name: `webauthn-sk-ecdsa-sha2-nistp256${CERT}`, since: "10.3" },
  { name: "ssh-dss", until: "9.8" },
  { name: `ssh-dss${CERT}`, until: "9.8" },
  { name: "ssh-rsa" },
  { name: `ssh-rsa${CERT}` },
  { name: "rsa-sha2-256" },
  { name: `rsa-sha2-256${CERT}`, since: "7.8" },
  { name: "rsa-sha2-512" },
  { name: `rsa-sha2-512${CERT}`, since: "7.8" },
];

/** Up to 9.1, keytypes[] has these behind the first four, so wildcards expand in this order. */
export const OLD_KEY_TYPE_ORDER: readonly string[] = [
  "ssh-rsa",
  "rsa-sha2-256",
  "rsa-sha2-512",
  "ssh-dss",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "sk-ecdsa-sha2-nistp256@openssh.com",
  "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
  `ssh-rsa${CERT}`,
  `rsa-sha2-256${CERT}`,
  `rsa-sha2-512${CERT}`,
  `ssh-dss${CERT}`,
  `ecdsa-sha2-nistp256${CERT}`,
  `ecdsa-sha2-nistp384${CERT}`,
  `ecdsa-sha2-nistp521${CERT}`,
  `sk-ecdsa-sha2-nistp256${CERT}`,
];

/** Up to 9.8 sshkey_type_from_name takes these for plain keys, ASCII case ignored; an algorithm list then drops them. */
export const KEY_SHORT_NAMES: readonly AlgorithmRow[] = [
  { name: "ED25519", until: "9.9" },
  { name: "RSA", until: "9.9" },
  { name: "ECDSA", until: "9.9" },
  { name: "DSA", until: "9.8" },
  { name: "ED25519-SK", since: "8.2", until: "9.9" },
  { name: "ECDSA-SK", since: "8.2", until: "9.9" },
];

const ECDH = "ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521";
const CURVE25519 = "curve25519-sha256,curve25519-sha256@libssh.org";
const DH = "diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512";
const SNTRUP = "sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com";

export const DEFAULT_KEX: readonly DefaultRow[] = [
  {
    from: "7.4",
    names: `${CURVE25519},${ECDH},${DH},diffie-hellman-group14-sha256,diffie-hellman-group14-sha1`,
  },
  { from: "8.2", names: `${CURVE25519},${ECDH},${DH},diffie-hellman-group14-sha256` },
  {
    from: "8.9",
    names: `${CURVE25519},${ECDH},sntrup761x25519-sha512@openssh.com,${DH},diffie-hellman-group14-sha256`,
  },
  {
    from: "9.0",
    names: `sntrup761x25519-sha512@openssh.com,${CURVE25519},${ECDH},${DH},diffie-hellman-group14-sha256`,
  },
  // Debian 12 has the name without a domain as a backport (-T of 9.2p1-2+deb12u10).
  {
    from: "9.2",
    vendors: ["debian"],
    names: `${SNTRUP},${CURVE25519},${ECDH},${DH},diffie-hellman-group14-sha256`,
  },
  {
    from: "9.9",
    names: `${SNTRUP},mlkem768x25519-sha256,${CURVE25519},${ECDH},${DH},diffie-hellman-group14-sha256`,
  },
  { from: "10.0", names: `mlkem768x25519-sha256,${SNTRUP},${CURVE25519},${ECDH}` },
];

const GCM = "aes128-gcm@openssh.com,aes256-gcm@openssh.com";
const CTR = "aes128-ctr,aes192-ctr,aes256-ctr";

export const DEFAULT_CIPHERS: readonly DefaultRow[] = [
  { from: "7.4", names: `chacha20-poly1305@openssh.com,${CTR},${GCM}` },
  { from: "10.0", names: `chacha20-poly1305@openssh.com,${GCM},${CTR}` },
];

export const DEFAULT_MACS: readonly DefaultRow[] = [
  {
    from: "7.4",
    names:
      "umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@openssh.com,umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1",
  },
];

const ECDSA = "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521";
const ECDSA_CERTS = `ecdsa-sha2-nistp256${CERT},ecdsa-sha2-nistp384${CERT},ecdsa-sha2-nistp521${CERT}`;
const SK_ECDSA = "sk-ecdsa-sha2-nistp256@openssh.com";
const SK_ED25519 = "sk-ssh-ed25519@openssh.com";
const RSA_CERTS = `rsa-sha2-512${CERT},rsa-sha2-256${CERT}`;
const RSA = "rsa-sha2-512,rsa-sha2-256";
const SK_CERTS = `sk-ssh-ed25519${CERT},sk-ecdsa-sha2-nistp256${CERT}`;
const WEBAUTHN = "webauthn-sk-ecdsa-sha2-nistp256";

export const DEFAULT_KEY_TYPES: readonly DefaultRow[] = [
  {
    from: "7.4",
    names: `${ECDSA_CERTS},ssh-ed25519${CERT},ssh-rsa${CERT},${ECDSA},ssh-ed25519,${RSA},ssh-rsa`,
  },
  {
    from: "7.8",
    names: `${ECDSA_CERTS},ssh-ed25519${CERT},${RSA_CERTS},ssh-rsa${CERT},${ECDSA},ssh-ed25519,${RSA},ssh-rsa`,
  },
  {
    from: "8.2",
    names: `${ECDSA_CERTS},sk-ecdsa-sha2-nistp256${CERT},ssh-ed25519${CERT},sk-ssh-ed25519${CERT},${RSA_CERTS},ssh-rsa${CERT},${ECDSA},${SK_ECDSA},ssh-ed25519,${SK_ED25519},${RSA},ssh-rsa`,
  },
  {
    from: "8.5",
    names: `ssh-ed25519${CERT},${ECDSA_CERTS},${SK_CERTS},${RSA_CERTS},ssh-rsa${CERT},ssh-ed25519,${ECDSA},${SK_ED25519},${SK_ECDSA},${RSA},ssh-rsa`,
  },
  {
    from: "8.8",
    names: `ssh-ed25519${CERT},${ECDSA_CERTS},${SK_CERTS},${RSA_CERTS},ssh-ed25519,${ECDSA},${SK_ED25519},${SK_ECDSA},${RSA}`,
  },
  {
    from: "10.3",
    names: `ssh-ed25519${CERT},${ECDSA_CERTS},${SK_CERTS},${WEBAUTHN}${CERT},${RSA_CERTS},ssh-ed25519,${ECDSA},${SK_ED25519},${SK_ECDSA},${WEBAUTHN}@openssh.com,${RSA}`,
  },
  {
    from: "10.6",
    names: `ssh-ed25519${CERT},${ECDSA_CERTS},${SK_CERTS},${WEBAUTHN}${CERT},${RSA_CERTS},ssh-mldsa44-ed25519-cert,ssh-ed25519,${ECDSA},${SK_ED25519},${SK_ECDSA},${WEBAUTHN}@openssh.com,${RSA},ssh-mldsa44-ed25519`,
  },
];

export const DEFAULT_CA_KEY_TYPES: readonly DefaultRow[] = [
  { from: "7.9", names: `${ECDSA},ssh-ed25519,${RSA},ssh-rsa` },
  { from: "8.2", names: `${ECDSA},${SK_ECDSA},ssh-ed25519,${SK_ED25519},${RSA}` },
  { from: "8.5", names: `ssh-ed25519,${ECDSA},${SK_ED25519},${SK_ECDSA},${RSA}` },
  { from: "10.3", names: `ssh-ed25519,${ECDSA},${SK_ED25519},${SK_ECDSA},${WEBAUTHN}@openssh.com,${RSA}` },
];

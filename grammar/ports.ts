/** Port numbers and service names: OpenSSH misc.c a2port. */
import { atLeast, type Release } from "./release.ts";

/**
 * TCP services by name, the part of Debian's /etc/services that configurations name. Which names a machine knows is
 * its own matter: minimal images have no /etc/services, and there every name is refused.
 */
const SERVICES: Readonly<Record<string, number>> = {
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  domain: 53,
  http: 80,
  www: 80,
  kerberos: 88,
  pop3: 110,
  sunrpc: 111,
  ntp: 123,
  imap2: 143,
  imap: 143,
  ldap: 389,
  https: 443,
  submissions: 465,
  submission: 587,
  ldaps: 636,
  rsync: 873,
  imaps: 993,
  pop3s: 995,
  socks: 1080,
  openvpn: 1194,
  "ms-sql-s": 1433,
  nfs: 2049,
  mysql: 3306,
  "ms-wbt-server": 3389,
  svn: 3690,
  postgresql: 5432,
  amqp: 5672,
  x11: 6000,
  "http-alt": 8080,
  git: 9418,
};

const DECIMAL = /^[ \t\n\v\f\r]*[+-]?[0-9]+$/;

/**
 * strtonum(text, low, high): leading white space and one sign are taken. Null with its word for what is wrong.
 */
export function readNumber(
  text: string,
  low: number,
  high: number,
): { readonly value: number } | { readonly wrong: "invalid" | "too small" | "too large" } {
  if (!DECIMAL.test(text)) return { wrong: "invalid" };
  const value = Number(text);
  if (value < low) return { wrong: "too small" };
  return value > high ? { wrong: "too large" } : { value: value + 0 };
}

/** 0 to 65535, or null. Service names from 7.9. */
export function readPort(text: string, release: Release): number | null {
  const number = readNumber(text, 0, 65535);
  if ("value" in number) return number.value;
  if (!atLeast(release, "7.9") || !Object.hasOwn(SERVICES, text)) return null;
  return SERVICES[text] ?? null;
}

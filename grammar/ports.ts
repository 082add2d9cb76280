/** Port numbers and service names: OpenSSH misc.c a2port. */
import { atLeast, type Release } from "./release.ts";
import { servicePort } from "./services.ts";

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
  // "-0" is 0
  return value > high ? { wrong: "too large" } : { value: value + 0 };
}

/** 0 to 65535, or null. Service names from 7.9. */
export function readPort(text: string, release: Release): number | null {
  const number = readNumber(text, 0, 65535);
  if ("value" in number) return number.value;
  return atLeast(release, "7.9") ? servicePort(text) : null;
}

/** What a service name depends on; null for a number. sshd asks getservbyname. */
export function servicePremise(text: string): string | null {
  if (DECIMAL.test(text)) return null;
  return `"${text}" is a port only where /etc/services names it; elsewhere sshd refuses the line`;
}

/**
 * The line that sshd prints on standard error for a message (OpenSSH log.c do_log: 1023 bytes of message, then strnvis
 * with VIS_SAFE and VIS_OCTAL, then 1021 bytes of the result).
 */
const MESSAGE_BYTES = 1023;
const PRINTED_BYTES = 1021;

export function asPrinted(message: string): string {
  const cut = message.length > MESSAGE_BYTES ? message.slice(0, MESSAGE_BYTES) : message;
  if (/^[ -[\]-~]*$/.test(cut)) return cut.slice(0, PRINTED_BYTES);
  let printed = "";
  for (const char of cut) {
    const next = encodeChar(char);
    if (printed.length + next.length > MESSAGE_BYTES) break;
    printed += next;
  }
  return printed.slice(0, PRINTED_BYTES);
}

/** Backslash is doubled; BEL, BS, TAB, LF and CR stay ("safe"); other bytes that are not ASCII graphics become octal. */
function encodeChar(char: string): string {
  if (char === "\\") return "\\\\";
  const code = char.charCodeAt(0);
  const isSafe = (code >= 7 && code <= 10) || code === 13;
  if (isSafe || (code >= 32 && code < 127)) return char;
  return `\\${code.toString(8).padStart(3, "0")}`;
}

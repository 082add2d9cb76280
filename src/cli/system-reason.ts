/** What the system says of a call that failed: "no such file or directory" of Node's "ENOENT: no such file …, open 'x'". */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return /^[A-Z0-9]+: ([^,]*)/.exec(error.message)?.[1] ?? error.message;
}

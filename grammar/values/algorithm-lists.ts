/** Ciphers, MACs, KexAlgorithms, the key type lists, and Debian's GSSAPIKexAlgorithms. */
import { type AlgorithmKind, assembleAlgorithms, isAlgorithmKind, unknownAlgorithm } from "../algorithms.ts";
import { atLeast } from "../release.ts";
import { type Arguments, type FormReading, fatal, missing, nextFull, preceded, spanOf } from "./arguments.ts";

interface Wording {
  /** sshd's text where a name is unknown */
  readonly refusal: (list: string) => string;
  /** the field's name in the message of assemble_algorithms */
  readonly field: (key: string) => string;
}

const WORDING: Readonly<Record<AlgorithmKind, Wording>> = {
  ciphers: { refusal: (list) => `Bad SSH2 cipher spec '${list}'.`, field: () => "ciphers" },
  macs: { refusal: (list) => `Bad SSH2 mac spec '${list}'.`, field: () => "macs" },
  kex: { refusal: (list) => `Bad SSH2 KexAlgorithms '${list}'.`, field: () => "kex_algorithms" },
  "key-types": { refusal: (list) => `Bad key types '${list}'.`, field: keyField },
  "ca-key-types": { refusal: (list) => `Bad key types '${list}'.`, field: keyField },
};

function keyField(key: string): string {
  if (key === "hostkeyalgorithms") return key;
  if (key === "casignaturealgorithms") return "ca_sign_algorithms";
  if (key.endsWith("keytypes"))
    return key.startsWith("hostbased") ? "hostbased_key_types" : "pubkey_key_types";
  return key.startsWith("hostbased") ? "hostbased_accepted_algos" : "pubkey_accepted_algos";
}

/** `-` lists are not checked from 7.5; `^` is a prefix from 8.1. The value is the list it comes to. */
export function readAlgorithms(args: Arguments): FormReading {
  const { form, key } = args.keyword;
  const kind: AlgorithmKind | null = isAlgorithmKind(form) ? form : null;
  const word = nextFull(args);
  const keys = form === "key-types" || form === "ca-key-types";
  if (kind === null || word === null)
    return keys
      ? missing(args, "Missing argument.", "Missing argument.")
      : missing(args, "Missing argument.");
  const { value } = word;
  const prefixed = value.startsWith("+") || (value.startsWith("^") && atLeast(args.release, "8.1"));
  const unchecked = value.startsWith("-") && atLeast(args.release, "7.5");
  const unknown = unchecked ? null : unknownAlgorithm(prefixed ? value.slice(1) : value, kind, args.release);
  if (unknown !== null) {
    const refusal = fatal(args, "unknown-algorithm", WORDING[kind].refusal(value), { word });
    if (kind !== "kex" || unknown.name === "") return refusal;
    return preceded(`Unsupported KEX algorithm "${unknown.name.slice(0, 100)}"`, refusal);
  }
  const assembled = assembleAlgorithms(value, kind, args.release);
  if (assembled !== null) return [assembled];
  const message = `assemble_algorithms: ${WORDING[kind].field(key)}: invalid argument`;
  args.note({
    code: "empty-algorithm-list",
    weight: "fatal",
    message,
    prefix: "at-end",
    span: spanOf(args.line, word),
    when: "active-first",
  });
  return [value];
}

/** Debian's kex.c gss_kexalgs. */
const GSS_KEX = [
  "gss-gex-sha1-",
  "gss-group1-sha1-",
  "gss-group14-sha1-",
  "gss-group14-sha256-",
  "gss-group16-sha512-",
  "gss-nistp256-sha256-",
  "gss-curve25519-sha256-",
];

export function readGssKex(args: Arguments): FormReading {
  const word = nextFull(args);
  if (word === null) return missing(args, "Missing argument.", "Missing argument.");
  for (const name of word.value.split(",")) {
    if (name === "") break;
    if (GSS_KEX.includes(name)) continue;
    const refusal = fatal(args, "unknown-algorithm", `Bad GSSAPI KexAlgorithms '${word.value}'.`, { word });
    return preceded(`Unsupported KEX algorithm "${name.slice(0, 100)}"`, refusal);
  }
  return [word.value];
}

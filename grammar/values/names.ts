/** Files, commands and other text that sshd takes as it is. */
import { equalIgnoringCase } from "../ascii.ts";
import { atLeast } from "../release.ts";
import {
  type Arguments,
  counted,
  type FormReading,
  fatal,
  listWords,
  missing,
  nextFull,
  requireItems,
} from "./arguments.ts";

/**
 * misc.c tilde_expand_filename as root, whose home is taken to be /root; other users' homes stay as written. Relative paths
 * stay relative: sshd would put its working directory in front.
 */
function expandHome(path: string): string {
  const match = /^~(?:root)?(\/+|$)/.exec(path);
  return match === null ? path : `/root/${path.slice(match[0].length)}`;
}

function expandFile(path: string): string {
  return equalIgnoringCase(path, "none") ? "none" : expandHome(path);
}

/** parse_filename */
export function readFile(args: Arguments): FormReading {
  const word = nextFull(args);
  return word === null ? missing(args, "missing file name.", "missing file name.") : [expandFile(word.value)];
}

/** AuthorizedPrincipalsFile: no working directory; `none` stays as written, see the evaluator. */
export function readUserFile(args: Arguments): FormReading {
  const word = nextFull(args);
  return word === null ? missing(args, "missing file name.") : [expandHome(word.value)];
}

/** AuthorizedKeysFile; RevokedKeys from 10.3. */
export function readUserFiles(args: Arguments): FormReading {
  if (!args.newer) {
    const files = listWords(args).map(({ value }) => expandHome(value));
    args.finish();
    return files;
  }
  const alone = atLeast(args.release, "10.3");
  const words = listWords(args);
  for (const [index, word] of words.entries()) {
    if (word.value === "")
      return counted(args, "empty-argument", `keyword ${args.spelled} empty argument`, { word });
    if (alone && equalIgnoringCase(word.value, "none") && (index > 0 || words.length > 1)) {
      const text = `keyword ${args.spelled} "none" argument must appear alone.`;
      return counted(args, "none-not-alone", text, { word });
    }
  }
  const refusal = requireItems(args, words);
  if (refusal !== null) return refusal;
  return words.map(({ value }) => expandHome(value));
}

export function readAgentSocket(args: Arguments): FormReading {
  const word = nextFull(args);
  if (word === null) return missing(args, "missing socket name.", "missing socket name.");
  return [word.value === "SSH_AUTH_SOCK" ? word.value : expandFile(word.value)];
}

/** AgentSocketPath: `user:` and a path, `shared:` and an absolute path, or `none`, all minding the case. */
export function readAgentPath(args: Arguments): FormReading {
  const word = nextFull(args);
  if (word === null) return missing(args, "", "missing path.");
  const { value } = word;
  if (value === "none" || /^user:./.test(value) || value.startsWith("shared:/")) return [value];
  const kind = /^(user|shared):/.exec(value)?.[1];
  return fatal(args, "bad-path", kind === undefined ? "invalid path." : `invalid ${kind} path.`, { word });
}

export function readSecurityKeyProvider(args: Arguments): FormReading {
  const word = nextFull(args);
  if (word === null) return missing(args, "missing file name.");
  return [equalIgnoringCase(word.value, "internal") ? word.value : expandFile(word.value)];
}

/** ChrootDirectory, PAMServiceName */
export function readString(args: Arguments): FormReading {
  const word = nextFull(args);
  const chroot = args.keyword.key === "chrootdirectory";
  if (word === null) return missing(args, "missing file name.", chroot ? undefined : "missing argument.");
  return [chroot && equalIgnoringCase(word.value, "none") ? "none" : word.value];
}

export function readLocalUser(args: Arguments): FormReading {
  const word = nextFull(args);
  if (word !== null) return [word.value];
  return missing(args, `missing ${args.keyword.name} argument.`, `missing ${args.spelled} argument.`);
}

/** The text behind the keyword, not split and not unquoted, comments and all. */
function rawText(args: Arguments): string {
  args.finish();
  return args.line.rest.text.replace(/^[ \t\r\n]+/, "");
}

export function readRaw(args: Arguments): FormReading {
  const text = rawText(args);
  if (args.line.rest.text === "") return missing(args, "Missing argument.");
  return [equalIgnoringCase(text, "none") ? "none" : text];
}

/** AuthorizedKeysCommand, AuthorizedPrincipalsCommand: up to 8.6 a line that has no effect is not looked at. */
export function readCommand(args: Arguments): FormReading {
  const text = rawText(args);
  if (args.line.rest.text === "" && !args.newer) return missing(args, "Missing argument.");
  if (text.startsWith("/") || equalIgnoringCase(text, "none")) return [text];
  const name = args.newer ? args.spelled : args.keyword.name;
  const when = args.newer ? "always" : "active-first";
  return fatal(args, "relative-command", `${name} must be an absolute path`, { when });
}

export function readVersionAddendum(args: Arguments): FormReading {
  const text = rawText(args);
  if (args.line.rest.text === "") return missing(args, "Missing argument.");
  const none = equalIgnoringCase(text, "none");
  if (text.includes("\r") && args.newer)
    return fatal(args, "bad-addendum", `Invalid ${args.spelled} argument`);
  if (text.includes("\r") && !none)
    return fatal(args, "bad-addendum", "Invalid argument", { when: "active-first" });
  return [none || text === "" ? "none" : text];
}

/** RDomain on Linux: names are never valid, and from 8.3 no line is. */
export function readRoutingDomain(args: Arguments): FormReading {
  if (atLeast(args.release, "8.3"))
    return fatal(args, "routing-domain-unsupported", "setting RDomain not supported on this platform.");
  const word = nextFull(args);
  if (word === null) return missing(args, "Missing argument.");
  if (equalIgnoringCase(word.value, "none")) return ["none"];
  if (word.value === "%D") return [word.value];
  return fatal(args, "bad-routing-domain", "bad routing domain", { word });
}

/** Subsystem: one value, `name command arguments`. */
export function readSubsystem(args: Arguments): FormReading {
  const { newer, release } = args;
  const name = nextFull(args);
  if (name === null) return missing(args, "Missing subsystem name.");
  const command = nextFull(args);
  if (command === null) {
    if (atLeast(release, "10.3")) return missing(args, "");
    // from 9.5 the name comes first: one that is set already makes sshd ignore the line
    const when = atLeast(release, "9.5") ? "active-first" : "active";
    return fatal(args, "missing-argument", "Missing subsystem command.", { when });
  }
  const rest = listWords(args).map(({ value }) => value);
  if (!atLeast(release, "9.5")) return [[name.value, command.value, ...rest].join(" ")];
  const more = assemble(rest);
  // 9.5 and 9.6 print a blank behind a command without arguments.
  const blank = more === "" && atLeast(release, "9.7") ? "" : " ";
  return newer ? [`${name.value} ${assemble([command.value])}${blank}${more}`] : [];
}

/** misc.c argv_assemble: words with blanks are quoted, quotes and backslashes escaped. */
function assemble(words: readonly string[]): string {
  return words
    .map((word) => {
      const escaped = word.replace(/[\\'"]/g, "\\$&");
      return /[ \t]/.test(word) ? `"${escaped}"` : escaped;
    })
    .join(" ");
}

/** Lists of patterns, names and variables, and authentication methods. */
import { parseAddressList } from "../addresses.ts";
import { equalIgnoringCase } from "../ascii.ts";
import { hasFeature } from "../keywords.ts";
import { atLeast } from "../release.ts";
import {
  type Arguments,
  counted,
  type FormReading,
  fatal,
  listWords,
  missing,
  nextFull,
  preceded,
  requireItems,
} from "./arguments.ts";
import { delimitByBlanks } from "./blank-words.ts";
import { readTime } from "./numbers.ts";

/** AllowUsers, DenyUsers: `pattern` or `pattern@hosts`; the host list must be sound (match.c match_user). */
export function readUsers(args: Arguments): FormReading {
  const words = listWords(args);
  const last = atLeast(args.release, "9.9");
  for (const word of words) {
    const { value } = word;
    const at = last ? value.lastIndexOf("@") : value.indexOf("@");
    const sound = at === -1 || parseAddressList(value.slice(at + 1), args.release).error === null;
    if (value !== "" && sound) continue;
    const text = args.newer
      ? `invalid ${args.spelled} pattern: "${value}"`
      : `invalid ${args.keyword.name} pattern: "${value.slice(0, 100)}"`;
    return fatal(args, "bad-user-pattern", text, { word });
  }
  return requireItems(args, words) ?? words.map(({ value }) => value);
}

export function readGroups(args: Arguments): FormReading {
  const words = listWords(args);
  const empty = words.find(({ value }) => value === "");
  if (empty !== undefined)
    return fatal(args, "empty-argument", `empty ${args.spelled} pattern`, { word: empty });
  return requireItems(args, words) ?? words.map(({ value }) => value);
}

export function readEnvNames(args: Arguments): FormReading {
  const words = listWords(args);
  const bad = words.find(({ value }) => value === "" || value.includes("="));
  if (bad !== undefined) return fatal(args, "bad-environment", "Invalid environment name.", { word: bad });
  return requireItems(args, words) ?? words.map(({ value }) => value);
}

/** SetEnv: `NAME=value`. Up to 8.6 its words are split at blanks only; from 9.1 a repeated NAME is dropped. */
export function readEnvValues(args: Arguments): FormReading {
  const source = args.newer ? args : delimitByBlanks(args);
  const words = listWords(source);
  const bad = words.find(({ value }) => !value.includes("="));
  if (bad !== undefined) return fatal(args, "bad-environment", "Invalid environment.", { word: bad });
  const seen = new Set<string>();
  const values: string[] = [];
  for (const { value } of words) {
    const name = value.slice(0, value.indexOf("="));
    if (!seen.has(name) || !atLeast(args.release, "9.1")) values.push(value);
    seen.add(name);
  }
  if (!args.newer) {
    const leftover = source.next();
    args.finish();
    if (leftover !== null && leftover.value !== "")
      return fatal(args, "garbage", `garbage at end of line; "${leftover.value.slice(0, 200)}".`, {
        word: leftover,
      });
  }
  return requireItems(args, words) ?? values;
}

/** LogVerbose; ChannelTimeout: `none` alone, or items. */
export function readLogVerbose(args: Arguments): FormReading {
  const words = listWords(args);
  if (!args.newer) return words.map(({ value }) => value);
  for (const [index, word] of words.entries()) {
    if (word.value === "")
      return counted(args, "empty-argument", `keyword ${args.spelled} empty argument`, { word });
    const alone = noneAlone(args, word, index, words.length);
    if (alone !== null) return alone;
  }
  return requireItems(args, words) ?? words.map(({ value }) => value);
}

export function readChannelTimeouts(args: Arguments): FormReading {
  const words = listWords(args);
  for (const [index, word] of words.entries()) {
    // up to 9.6 what stands before `none` is not counted, so that it may be the last word
    const isLast = index === words.length - 1 && !atLeast(args.release, "9.7");
    const alone = isLast ? null : noneAlone(args, word, index, words.length);
    if (alone !== null) return alone;
    if (equalIgnoringCase(word.value, "none")) continue;
    const equals = word.value.indexOf("=");
    if (equals < 1 || readTime(word.value.slice(equals + 1), args.release) === null)
      return fatal(args, "bad-channel-timeout", `invalid channel timeout ${word.value}`, { word });
  }
  return requireItems(args, words) ?? words.map(({ value }) => value);
}

function noneAlone(
  args: Arguments,
  word: ReturnType<typeof listWords>[number],
  index: number,
  count: number,
) {
  if (!equalIgnoringCase(word.value, "none") || (index === 0 && count === 1)) return null;
  return counted(args, "none-not-alone", `keyword ${args.spelled} "none" argument must appear alone.`, {
    word,
  });
}

export function readAddressListForm(args: Arguments): FormReading {
  const word = nextFull(args);
  if (word === null) return missing(args, "missing argument.", "missing argument.");
  if (parseAddressList(word.value, args.release).error === null)
    return [equalIgnoringCase(word.value, "none") ? "none" : word.value];
  return fatal(args, "bad-address-list", `keyword ${args.spelled} invalid address argument.`, { word });
}

/**
 * AuthenticationMethods: lists of methods, or `any` alone. Up to 8.6 sshd reads only the first line of each set, and
 * nothing is said of what stands behind an empty word.
 */
export function readAuthMethods(args: Arguments): FormReading {
  const { newer, spelled } = args;
  const when = newer ? "always" : "first";
  const words = listWords(args);
  args.finish();
  for (const [index, word] of words.entries()) {
    const any = word.value === "any";
    const behindAny = words.slice(0, index).some(({ value }) => value === "any");
    if ((any && index > 0) || (!any && behindAny)) {
      const name = newer ? spelled : "AuthenticationMethods";
      // up to 9.6 `any` is compared with the methods that are set, so only where the line takes effect
      const mild = words.slice(index).every(({ value }) => value === "any");
      const taken = mild && !atLeast(args.release, "9.7") ? "active-first" : when;
      return fatal(args, "any-not-alone", `"any" must appear alone in ${name}`, { word, when: taken });
    }
    const wrong = any ? null : wrongMethod(word.value, args);
    if (wrong === null) continue;
    const text = newer ? `invalid ${spelled} method list.` : "invalid authentication method list.";
    return preceded(wrong, fatal(args, "bad-auth-method", text, { word, when }));
  }
  if (words.length > 0) return words.map(({ value }) => value);
  const name = newer ? spelled : "AuthenticationMethods";
  return fatal(args, "missing-argument", `no ${name} specified`, { when });
}

/** auth2.c auth2_methods_valid: what it prints, or null. */
function wrongMethod(list: string, { release }: Arguments): string | null {
  if (list === "") return "empty authentication method list";
  const gssapi = hasFeature("gssapi", release) ? ["gssapi-with-mic"] : [];
  const keyex = hasFeature("gssapi-kex", release) ? ["gssapi-keyex"] : [];
  const known = ["none", "publickey", "password", "keyboard-interactive", "hostbased", ...gssapi, ...keyex];
  for (const item of list.split(",")) {
    const method = item.split(":", 1)[0] ?? "";
    if (!known.includes(method)) return `Unknown authentication method "${method}" in list`;
  }
  return null;
}

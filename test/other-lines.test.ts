import { describe, expect, test } from "vitest";
import { parseRelease, type Release } from "../grammar/release.ts";
import { checkConfig } from "../src/config/check.ts";
import { loadConfig } from "../src/config/load.ts";
import type { FileTree } from "../src/files/tree.ts";

function release(text: string): Release {
  const found = parseRelease(text);
  if (found === null) throw new Error(text);
  return found;
}

/** sshd's messages for one file, warnings with a `w` in front. */
function messages(text: string, version: string): string[] {
  const bytes = Buffer.from(text, "latin1");
  const tree: FileTree = {
    read: (path) =>
      path === "/f"
        ? { kind: "file", bytes, realPath: path }
        : { kind: "unreadable", code: "ENOENT", reason: "No such file or directory" },
    list: () => null,
    stat: () => null,
  };
  const { errors, warnings } = checkConfig(loadConfig(tree, "/f", { release: release(version) }));
  return [...warnings.map(({ message }) => `w ${message}`), ...errors.map(({ message }) => message)];
}

const lines = (count: number, line: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => `${line(n + 1)}\n`).join("");

describe("lines that other lines make wrong", () => {
  test.each([
    ["256 ports", lines(256, (n) => `Port ${n}`), "9.2", []],
    ["257 ports", lines(257, (n) => `Port ${n}`), "9.2", ["too many ports."]],
    ["257 users, 7.6", lines(257, (n) => `AllowUsers u${n}`), "7.6", ["too many allow users."]],
    ["257 users, 7.7", lines(257, (n) => `AllowUsers u${n}`), "7.7", []],
    [
      "a Subsystem twice",
      "Subsystem sftp /a\nSubsystem sftp /b\n",
      "9.4",
      ["Subsystem 'sftp' already defined."],
    ],
    ["a Subsystem twice, 9.5", "Subsystem sftp /a\nSubsystem sftp /b\n", "9.5", []],
    ["two Subsystems", "Subsystem sftp /a\nSubsystem SFTP /b\n", "9.4", []],
    [
      "AddressFamily after ListenAddress",
      "ListenAddress 1.2.3.4\nAddressFamily inet6\n",
      "9.2",
      ["bad addr or host: 1.2.3.4 (Address family for hostname not supported)"],
    ],
    [
      "a v6 address with a port",
      "AddressFamily inet\nListenAddress [::1]:22\n",
      "9.2",
      ["bad addr or host: ::1 (Address family for hostname not supported)"],
    ],
    ["fitting families", "AddressFamily inet\nListenAddress 1.2.3.4:22\n", "9.2", []],
    [
      "a command without user",
      "AuthorizedKeysCommand /x\n",
      "9.2",
      ["AuthorizedKeysCommand set without AuthorizedKeysCommandUser"],
    ],
    ["a command with user", "AuthorizedKeysCommand /x\nAuthorizedKeysCommandUser nobody\n", "9.2", []],
    ["no command", "AuthorizedPrincipalsCommand NONE\n", "9.2", []],
    ["a command in a block", "Match User x\nAuthorizedKeysCommand /x\n", "9.2", []],
    [
      "no method left",
      "PasswordAuthentication no\nAuthenticationMethods password publickey,password\n",
      "9.2",
      [
        'Disabled method "password" in AuthenticationMethods list "password"',
        'Disabled method "password" in AuthenticationMethods list "publickey,password"',
        "AuthenticationMethods cannot be satisfied by enabled authentication methods",
      ],
    ],
    [
      "one method left",
      "PasswordAuthentication no\nAuthenticationMethods password publickey\n",
      "9.2",
      ['w Disabled method "password" in AuthenticationMethods list "password"'],
    ],
    // seen on Debian's 9.2: its switch is that of gssapi-with-mic
    [
      "key exchange with GSSAPI alone",
      "GSSAPIKeyExchange yes\nAuthenticationMethods gssapi-keyex\n",
      "1:9.2p1-2+deb12u10",
      [
        'Disabled method "gssapi-keyex" in AuthenticationMethods list "gssapi-keyex"',
        "AuthenticationMethods cannot be satisfied by enabled authentication methods",
      ],
    ],
    [
      "GSSAPI without its key exchange",
      "GSSAPIAuthentication yes\nAuthenticationMethods gssapi-keyex\n",
      "1:9.2p1-2+deb12u10",
      [],
    ],
    ["challenge-response, 8.6", "AuthenticationMethods keyboard-interactive\n", "8.6", []],
    [
      "a second list is not read up to 8.6",
      "AuthenticationMethods publickey\nAuthenticationMethods x\n",
      "8.6",
      [],
    ],
    [
      "a second list is read from 8.7",
      "AuthenticationMethods publickey\nAuthenticationMethods x\n",
      "8.7",
      ['Unknown authentication method "x" in list', "invalid AuthenticationMethods method list."],
    ],
    ["a relative command in a block, 8.6", "Match User x\nAuthorizedKeysCommand x\n", "8.6", []],
    [
      "a relative command in a block, 8.7",
      "Match User x\nAuthorizedKeysCommand x\n",
      "8.7",
      ["AuthorizedKeysCommand must be an absolute path"],
    ],
  ] as const)("%s", (_, text, version, expected) => {
    expect(messages(text, version)).toEqual(expected);
  });
});

/** The accounts of the machine on which the recorded answers were made (fixtures/oracle/README.md). */
import type { Connection } from "../../src/policy/connection.ts";

/** Groups by user, the primary one first. */
export const GROUPS_OF: Readonly<Record<string, readonly string[]>> = {
  alice: ["alice", "admins", "staff"],
  bob: ["bob", "staff"],
  carol: ["carol", "sftponly"],
  deploy: ["deploy", "forwarders"],
  guest: ["guest"],
  root: ["root"],
};

/** Lines for /etc/passwd and /etc/group that make these accounts exist; root is there on any machine. */
export function accountFiles(): AccountFiles {
  const names = Object.keys(GROUPS_OF).filter((name) => name !== "root");
  const groups = [...new Set(Object.values(GROUPS_OF).flat())].filter((name) => name !== "root");
  const idOf = (group: string): number => 4000 + groups.indexOf(group);
  const passwd = names.map((name) => `${name}:x:${idOf(name)}:${idOf(name)}::/home/${name}:/bin/sh\n`);
  const group = groups.map((name) => {
    const members = names.filter((user) => user !== name && GROUPS_OF[user]?.includes(name));
    return `${name}:x:${idOf(name)}:${members.join(",")}\n`;
  });
  return { passwd: passwd.join(""), group: group.join("") };
}

/** Somebody that a witness speaks of; `groups` null: no such account. */
export interface Person {
  readonly name: string;
  readonly groups: readonly string[] | null;
}

export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

/** First group id of a witness; the one below it has no name. */
const FIRST_GID = 60_001;

/** The files with one account exactly as a witness has it. */
export function withPerson({ passwd, group }: AccountFiles, { name, groups }: Person): AccountFiles {
  const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");
  const others = lines(passwd).filter((line) => !line.startsWith(`${name}:`));
  const names = groups ?? [];
  const otherGroups = lines(group).flatMap((line) => {
    const [its = "", password = "", gid = "", members = ""] = line.split(":");
    if (names.includes(its)) return [];
    return [[its, password, gid, members.split(",").filter((member) => member !== name)].join(":")];
  });
  const uid = name === "root" ? 0 : FIRST_GID;
  const primary = names.length === 0 ? FIRST_GID - 1 : FIRST_GID;
  const own = groups === null ? [] : [`${name}:x:${uid}:${primary}::/home/x:/bin/sh`];
  const ownGroups = names.map((its, index) => `${its}:x:${FIRST_GID + index}:${name}`);
  return {
    passwd: [...own, ...others, ""].join("\n"),
    group: [...ownGroups, ...otherGroups, ""].join("\n"),
  };
}

/** The groups that sshd finds for the user of a connection. */
export function withGroups(connection: Connection): Connection {
  return { ...connection, groups: GROUPS_OF[connection.user ?? ""] ?? null };
}

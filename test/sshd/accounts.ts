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
export function accountFiles(): { readonly passwd: string; readonly group: string } {
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

/** The groups that sshd finds for the user of a connection. */
export function withGroups(connection: Connection): Connection {
  return { ...connection, groups: GROUPS_OF[connection.user ?? ""] ?? null };
}

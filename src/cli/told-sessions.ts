/** Who is still logged in after a restart. */
import { openSessions, originOf } from "../host/sessions.ts";
import { counted } from "../report/text.ts";
import type { Live } from "./live.ts";

/** A restart ends no session: they keep the policy that they were let in with. */
export async function tellSessions({ machine, tell }: Live): Promise<void> {
  const sessions = await openSessions(machine);
  if (sessions.length === 0) return;
  const origin = originOf(machine, sessions, machine.self.pid);
  const lines = sessions.map((session) => {
    const { user, terminals, since, client, pid } = session;
    const where = terminals.length === 0 ? "no terminal" : terminals.join(" ");
    const from = client === null ? "" : ` from ${client.address}`;
    const mark = origin.kind === "session" && origin.session === session ? ", this one" : "";
    return `${user} (${where}${from}, since ${clockTime(since)}${mark}): kill ${pid} ends it`;
  });
  const head = `${counted(sessions.length, "session")} still open, with the policy of before`;
  tell({ step: "sessions", state: "ok", text: [head, ...lines].join("\n") });
}

/** "2026-11-22 09:12" in local time. */
function clockTime(time: Date): string {
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16).replace("T", " ");
}

import { type Audit, type Draft, groupBy, listed, type Problem, type Rule } from "../src/lint/rule.ts";

function check({ config, everything }: Audit): Draft[] {
  const lists = config.problems.filter(({ code }) => code === "permit-list-lockout");
  const groups = groupBy(everything.ended, ({ because }) => because);
  return [
    ...lists.map(({ message, place }) => draftOf("every connection that meets it", message, place)),
    ...[...groups.values()].flatMap((parts) => {
      const [first, ...others] = parts;
      if (first === undefined) return [];
      const { place, because, witness } = first;
      const draft = draftOf(
        listed(parts.map(({ condition }) => condition)),
        explained(config.problems, first) ?? because,
        place,
      );
      const related = others.map((part) => ({ place: part.place, note: "this line, too" }));
      return [{ ...draft, related, witness }];
    }),
  ];
}

type Ended = Audit["everything"]["ended"][number];

/** What was said of the line when it was read. */
function explained(problems: readonly Problem[], { place }: Ended): string | null {
  const problem = problems.find(
    ({ weight, place: { source, start } }) =>
      weight === "silent" && source === place.source && start === place.start,
  );
  return problem?.message ?? null;
}

function draftOf(who: string, why: string, place: Problem["place"]): Draft {
  return {
    message: `sshd accepts this line and then cuts off ${who}: ${why}`,
    place,
    notes: ["sshd -t says nothing about it; keep a session open while you repair it"],
  };
}

export const rule: Rule = {
  id: "lockout",
  title: "a line that locks everybody out",
  severity: "high",
  docs: {
    what: "sshd accepts the file, and then ends every connection for which the line counts: `PermitOpen none` with more words behind it (from 9.7 on), a port that is the name of a service in `PermitOpen` or `PermitListen`, as in `db:postgresql` (from 7.9 on where root runs sshd; seen on 9.2 where an ordinary user does, too), a bad address in `Match Address` (before 8.4), `Subsystem` in Match blocks alone, over which sshd crashes (9.5 to 10.2), a drop-in that includes its own folder (from 8.2 on), or what sshd refuses in a block only once a connection enters it: a list of algorithms that comes to nothing, and up to 8.6 a second `AuthenticationMethods` or a command that is no absolute path.",
    why: "`sshd -t` says that the file is fine. After the next restart nobody who meets the line can log in, root included.",
    who: "Every connection for which the line counts.",
    release: "8.0",
    bad: "Match Address 10.1.2.3/8\n  X11Forwarding no\n",
    good: "Match Address 10.0.0.0/8\n  X11Forwarding no\n",
    fix: "None: write `PermitOpen none` alone, the number of the port, the network with its host bits zero, or a global `Subsystem` line, too; take the Include out of the drop-in.",
    allowWhen: "Never.",
  },
  references: [
    "OpenSSH source: servconf.c, server_process_permitopen_list and match_cfg_line",
    "OpenSSH source: monitor_wrap.c, mm_getpwnamallow",
    "OpenSSH bug 3906: a Subsystem in Match blocks alone",
  ],
  check,
};

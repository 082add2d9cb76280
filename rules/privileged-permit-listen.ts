import {
  type Audit,
  comparedItem,
  type Directive,
  type Draft,
  endpointOf,
  isOutOfReach,
  openAnswers,
  quoted,
  type Rule,
} from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  const used = openAnswers(audit.exposure, ["tcp-remote"]).flatMap(({ decidedBy }) =>
    decidedBy.flatMap(({ directive }) => (directive?.keyword === "permitlisten" ? [directive] : [])),
  );
  return [...new Set(used)].flatMap(report);
}

function report(directive: Directive): Draft[] {
  const low = (directive.values ?? []).filter(isLow);
  if (low.length === 0 || directive.origin === "option") return [];
  return [
    {
      message: `${quoted(directive)} lets a client listen on ${low.join(", ")}: a port below 1024, trusted as the system's own`,
      place: directive.valuePlace,
      notes: ["only a root login can bind it, unless ip_unprivileged_port_start is lowered"],
    },
  ];
}

/** A low port that some client can ask for. */
function isLow(written: string): boolean {
  const item = comparedItem(written);
  return !isOutOfReach(item) && Number(endpointOf(item).port) < 1024;
}

export const rule: Rule = {
  id: "privileged-permit-listen",
  title: "PermitListen names a privileged port",
  severity: "low",
  about: ["permitlisten"],
  docs: {
    what: "`PermitListen` allows a remote forward on a port below 1024.",
    why: "Such a port looks like a service of the system: whoever holds the forward answers there.",
    who: "Root logins among the connections of the line, and everybody where the kernel lets all users bind the port.",
    bad: "PermitListen localhost:443\n",
    good: "PermitListen localhost:8443\n",
    fix: "None: choose a port from 1024 on, and put a proxy of the system in front of it.",
    allowWhen: "The server relays that service on purpose.",
  },
  references: ["sshd_config(5): PermitListen", "ip(7): ip_unprivileged_port_start"],
  check,
};

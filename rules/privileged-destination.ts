import { type Audit, type Directive, type Draft, openAnswers, quoted, type Rule } from "../src/lint/rule.ts";

const OWN: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "::1", "0.0.0.0"]);

function check(audit: Audit): Draft[] {
  const used = openAnswers(audit.exposure, ["tcp-local"]).flatMap(({ decidedBy }) =>
    decidedBy.flatMap(({ directive }) => (directive?.keyword === "permitopen" ? [directive] : [])),
  );
  return [...new Set(used)].flatMap(report);
}

function report(directive: Directive): Draft[] {
  const low = (directive.values ?? []).filter(isOwnLowPort);
  if (low.length === 0 || directive.origin === "option") return [];
  return [
    {
      message: `${quoted(directive)} reaches a privileged port of this server itself: ${low.join(", ")}`,
      place: directive.valuePlace,
      notes: ["to that service the connection comes from the server itself, which many services trust"],
    },
  ];
}

function isOwnLowPort(item: string): boolean {
  const colon = item.lastIndexOf(":");
  const host = item.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  const port = Number(item.slice(colon + 1));
  return OWN.has(host) && port > 0 && port < 1024;
}

export const rule: Rule = {
  id: "privileged-destination",
  title: "PermitOpen reaches a privileged port of the server",
  severity: "low",
  docs: {
    what: "`PermitOpen` lets clients connect to a port below 1024 of the server itself.",
    why: "The service sees a connection from its own host and may trust it: a mail server that relays for localhost, a web server with an admin page, sshd itself.",
    who: "The connections of the line.",
    bad: "PermitOpen localhost:25\n",
    good: "PermitOpen db.internal:5432\n",
    fix: "None: only you know whether the service may be reached.",
    allowWhen: "The service is the purpose of the account, such as `localhost:22` for a second hop.",
  },
  references: ["sshd_config(5): PermitOpen"],
  check,
};

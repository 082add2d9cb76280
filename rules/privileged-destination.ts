import {
  type Audit,
  comparedItem,
  type Directive,
  type Draft,
  endpointOf,
  isOwnHost,
  openAnswers,
  quoted,
  type Rule,
} from "../src/lint/rule.ts";

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
  const { host, port } = endpointOf(comparedItem(item));
  return isOwnHost(host) && (port === "*" || Number(port) < 1024);
}

export const rule: Rule = {
  id: "privileged-destination",
  title: "PermitOpen reaches a privileged port of the server",
  severity: "low",
  about: ["permitopen"],
  docs: {
    what: "`PermitOpen` lets clients connect to a port below 1024 of the server itself, by number or by name: `localhost:25`, `127.0.0.2:smtp`, `[::]:*`.",
    why: "The service sees a connection from its own host and may trust it: a mail server that relays for localhost, a web server with an admin page, sshd itself.",
    who: "The connections of the line.",
    bad: "PermitOpen localhost:25\n",
    good: "PermitOpen db.internal:5432\n",
    fix: "None: only you know whether the service may be reached.",
    allowWhen: "The service is the purpose of the account, such as `localhost:22` for a second hop.",
  },
  references: ["sshd_config(5): PermitOpen", "OpenSSH source: misc.c, a2port", "RFC 6761, section 6.3"],
  check,
};

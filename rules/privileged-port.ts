import {
  type Audit,
  type Directive,
  type Draft,
  listeningLines,
  listenPort,
  quoted,
  type Rule,
} from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  return listeningLines(audit.config).flatMap(report);
}

function report(directive: Directive): Draft[] {
  const port = listenPort(directive);
  if (port === null || port === 22 || port >= 1024 || directive.origin === "option") return [];
  return [
    {
      message: `sshd listens on port ${port}, a privileged port other than its own, 22: ${quoted(directive)}`,
      place: directive.valuePlace,
      notes: [
        "firewalls and scanners may take it for the service that the port is assigned to (443 is HTTPS)",
      ],
    },
  ];
}

export const rule: Rule = {
  id: "privileged-port",
  title: "sshd on another service's privileged port",
  severity: "info",
  about: ["port", "listenaddress"],
  docs: {
    what: "`Port` or `ListenAddress` puts sshd on a port below 1024 other than 22.",
    why: "Ports below 1024 are assigned to services. sshd on 443 or 80 passes firewalls that were meant to let web traffic through, and takes the port from the service.",
    who: "Nobody directly; it is worth knowing when firewall rules are read.",
    bad: "Port 443\n",
    good: "Port 22\n",
    fix: "None.",
    allowWhen: "It is done on purpose, to get through a proxy.",
  },
  references: ["sshd_config(5): Port and ListenAddress", "services(5)"],
  check,
};

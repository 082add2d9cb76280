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
  if (port === null || port < 1024 || directive.origin === "option") return [];
  return [
    {
      message: `sshd listens on port ${port}, which any user of this host can bind while sshd is down: ${quoted(directive)}`,
      place: directive.valuePlace,
      notes: ["whoever binds it can pose as sshd; only the host key tells the difference"],
    },
  ];
}

export const rule: Rule = {
  id: "unprivileged-listen-port",
  title: "sshd on a port that any user can bind",
  severity: "info",
  about: ["port", "listenaddress"],
  docs: {
    what: "`Port` or `ListenAddress` puts sshd on a port from 1024 on.",
    why: "Below 1024 only root can listen. From 1024 on any local user can take the port in the moment when sshd restarts or is down, and collect the passwords of those who ignore the warning about a changed host key.",
    who: "Servers with local users who are not trusted.",
    bad: "Port 2222\n",
    good: "Port 22\n",
    fix: "None: move sshd below 1024, or raise the limit with net.ipv4.ip_unprivileged_port_start.",
    allowWhen: "The host has no untrusted local users, or it is a container.",
  },
  references: ["sshd_config(5): Port and ListenAddress", "ip(7): ip_unprivileged_port_start"],
  check,
};

import {
  type Audit,
  type Config,
  type Criterion,
  type Draft,
  type MatchBlock,
  type Rule,
  vainItems,
  whyNeverMatching,
} from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  return audit.config.matches.flatMap((block) => report(audit, block));
}

function report({ config }: Audit, block: MatchBlock): Draft[] {
  return block.criteria.flatMap((criterion) => {
    const why = whyNeverMatching(config, criterion);
    return why === null ? inVain(config, criterion) : [neverIn(criterion, why)];
  });
}

function neverIn({ place }: Criterion, why: string): Draft {
  return {
    message: `no connection is ever in this block: "${place.source.text.slice(place.start, place.end)}": ${why}`,
    place,
    label: "never true",
    notes: ["what the block closes stays open, and what it opens stays closed"],
  };
}

function inVain(config: Config, criterion: Criterion): Draft[] {
  return vainItems(config, criterion).map(({ item, why }) => ({
    message: `"${item}" ${item.startsWith("!") ? "keeps nobody out of" : "lets nobody into"} this block: ${why}`,
    place: criterion.place,
    label: "holds an item that fits nobody",
  }));
}

export const rule: Rule = {
  id: "never-matching-pattern",
  title: "a Match pattern that never matches",
  severity: "medium",
  about: ["match"],
  docs: {
    what: "A criterion of a `Match` line can hold for no connection: a list with only negations, a host name while sshd does not look names up (`UseDNS no`, the default), text that is no address, quotes or `=` that became part of a name. Or one item of its list fits nobody for such a reason: `Match Host *,!db.example.com` does not leave that host out.",
    why: "sshd accepts the line. `Match User !root` does not mean everybody but root: it means nobody. The block looks like a rule and is none.",
    who: "The connections that the block was written for.",
    bad: "Match User !root\n  AllowTcpForwarding no\n",
    good: "Match User *,!root\n  AllowTcpForwarding no\n",
    fix: "None: write what was meant, `Match User *,!root` for everybody but root.",
    allowWhen: "The block is switched off on purpose.",
  },
  references: [
    'ssh_config(5): PATTERNS, "a negated match will never produce a positive result by itself"',
    "OpenSSH source: match.c, match_pattern_list; addrmatch.c, addr_match_list",
  ],
  check,
};

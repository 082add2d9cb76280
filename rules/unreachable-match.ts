import {
  type Audit,
  type Criterion,
  DEAD_LINES,
  type Draft,
  groupBy,
  hasNobody,
  type LineUse,
  lineText,
  type MatchBlock,
  type Rule,
  whyNeverMatching,
} from "../src/lint/rule.ts";

function check(audit: Audit): Draft[] {
  const uses = audit.lineUses.filter(({ directive }) => directive.guards.length > 0);
  const dead = new Set(uses.flatMap(({ decides, directive }) => (decides === false ? [directive] : [])));
  if (dead.size === 0) return [];
  // with the blocks of the files that it includes
  const inside = groupBy(
    audit.config.directives.flatMap((directive) => directive.guards.map((block) => ({ block, directive }))),
    ({ block }) => block,
  );
  return [...groupBy(uses, ({ directive }) => directive.guards.at(-1))].flatMap(([block, inBlock]) => {
    const isDead = block !== undefined && inside.get(block)?.every(({ directive }) => dead.has(directive));
    return isDead === true ? report(audit, block, inBlock) : [];
  });
}

/** All its lines are without effect, each because other lines come first or because nothing can be in the block. */
function report({ config, world }: Audit, block: MatchBlock, uses: readonly LineUse[]): Draft[] {
  if (explained(config, block)) return [];
  const shadows = uses.flatMap(({ shadowedBy }) => shadowedBy);
  const first = shadows[0];
  return [
    {
      message:
        first === undefined
          ? whyEmpty(config, world, block)
          : `this block changes nothing: every connection in it is decided by ${lineText(first.place, block.place)} or earlier blocks`,
      place: block.place,
      label: "without effect",
      related: shadows.slice(0, 3).map(({ place }) => ({ place, note: "comes first" })),
    },
  ];
}

/** A routing domain is a matter of the server's network, which no file tells. */
function whyEmpty(config: Audit["config"], world: Audit["world"], block: MatchBlock): string {
  if (world !== null && hasNobody(config, world, block)) return "none of the known accounts is in this block";
  const asks = [...block.outer, block].some(({ criteria }) =>
    criteria.some(({ attribute }) => attribute === "rdomain"),
  );
  return asks
    ? "no connection is in this block as long as this server has no routing domains (VRF), which is taken for granted here"
    : "no connection is ever in this block: its criteria exclude each other";
}

/** Findings of never-matching-pattern say more, and those of lockout of a list that nobody gets past. */
function explained(config: Audit["config"], block: MatchBlock): boolean {
  return [...block.outer, block].some(({ criteria }) =>
    criteria.some((criterion) => isDeadly(criterion) || whyNeverMatching(config, criterion) !== null),
  );
}

/** Up to 8.3: later releases refuse the file. */
function isDeadly(criterion: Criterion): boolean {
  const isOfAddresses = criterion.attribute === "address" || criterion.attribute === "localaddress";
  return isOfAddresses && criterion.items.some(({ kind }) => kind === "invalid");
}

export const rule: Rule = {
  id: "unreachable-match",
  title: "a Match block without effect",
  severity: "low",
  about: [DEAD_LINES],
  docs: {
    what: "No connection can meet all criteria of the block, or every line in it is decided by an earlier block.",
    why: "The first matching block wins, keyword by keyword. A later, more special block changes nothing.",
    who: "The connections that the block was written for.",
    bad: "Match User *\n  X11Forwarding no\nMatch User bob\n  X11Forwarding yes\n",
    good: "Match User bob\n  X11Forwarding yes\nMatch User *\n  X11Forwarding no\n",
    fix: "None: put the more special block first.",
    allowWhen: "Another tool writes the blocks and keeps them in its own order.",
  },
  references: [
    'sshd_config(5): Match, "If a keyword appears in multiple Match blocks that are satisfied, only the first instance of the keyword is applied."',
  ],
  check,
};

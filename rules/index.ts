import type { Rule } from "../src/lint/rule.ts";
import { rule as keywordNewerThanSshd } from "./keyword-newer-than-sshd.ts";
import { rule as missingInclude } from "./missing-include.ts";
import { rule as reopenedByMatch } from "./reopened-by-match.ts";
import { rule as shadowedDirective } from "./shadowed-directive.ts";
import { rule as syntax } from "./syntax.ts";
import { rule as tcpForwarding } from "./tcp-forwarding.ts";

/** All rules, by what a reader should see first. */
export const RULES: readonly Rule[] = [
  tcpForwarding,
  reopenedByMatch,
  shadowedDirective,
  missingInclude,
  syntax,
  keywordNewerThanSshd,
];

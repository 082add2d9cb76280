import type { Rule } from "../src/lint/rule.ts";
import { rule as agentForwarding } from "./agent-forwarding.ts";
import { rule as authorizedKeysOptions } from "./authorized-keys-options.ts";
import { rule as beyondPolicy } from "./beyond-policy.ts";
import { rule as deadPermitOpen } from "./dead-permit-open.ts";
import { rule as deprecatedKeyword } from "./deprecated-keyword.ts";
import { rule as disableForwardingIncomplete } from "./disable-forwarding-incomplete.ts";
import { rule as disableForwardingReopened } from "./disable-forwarding-reopened.ts";
import { rule as dropInNotIncluded } from "./drop-in-not-included.ts";
import { rule as duplicatePermitOpen } from "./duplicate-permit-open.ts";
import { rule as forcedCommandStillForwards } from "./forced-command-still-forwards.ts";
import { rule as gatewayPorts } from "./gateway-ports.ts";
import { rule as includeInsideMatch } from "./include-inside-match.ts";
import { rule as keywordNewerThanSshd } from "./keyword-newer-than-sshd.ts";
import { rule as lockout } from "./lockout.ts";
import { rule as loosePermissions } from "./loose-permissions.ts";
import { rule as lostForwarding } from "./lost-forwarding.ts";
import { rule as missingInclude } from "./missing-include.ts";
import { rule as neverMatchingLoginItem } from "./never-matching-login-item.ts";
import { rule as neverMatchingPattern } from "./never-matching-pattern.ts";
import { rule as nologinStillForwards } from "./nologin-still-forwards.ts";
import { rule as notAllowedInMatch } from "./not-allowed-in-match.ts";
import { rule as openPermitListen } from "./open-permit-listen.ts";
import { rule as openPermitOpen } from "./open-permit-open.ts";
import { rule as optionOverridesFile } from "./option-overrides-file.ts";
import { rule as permitListenIgnoresSockets } from "./permit-listen-ignores-sockets.ts";
import { rule as policyEntry } from "./policy-entry.ts";
import { rule as privilegedDestination } from "./privileged-destination.ts";
import { rule as privilegedForward } from "./privileged-forward.ts";
import { rule as privilegedPermitListen } from "./privileged-permit-listen.ts";
import { rule as privilegedPort } from "./privileged-port.ts";
import { rule as reopenedByMatch } from "./reopened-by-match.ts";
import { rule as shadowedDirective } from "./shadowed-directive.ts";
import { rule as shellMakesBanMoot } from "./shell-makes-ban-moot.ts";
import { rule as socketUnitOverridesPort } from "./socket-unit-overrides-port.ts";
import { rule as staleDaemon } from "./stale-daemon.ts";
import { rule as streamLocalForwarding } from "./stream-local-forwarding.ts";
import { rule as suppression } from "./suppression.ts";
import { rule as syntax } from "./syntax.ts";
import { rule as tcpForwarding } from "./tcp-forwarding.ts";
import { rule as tunnelDevice } from "./tunnel-device.ts";
import { rule as unprivilegedListenPort } from "./unprivileged-listen-port.ts";
import { rule as unreachableMatch } from "./unreachable-match.ts";
import { rule as vanishedLine } from "./vanished-line.ts";
import { rule as x11Forwarding } from "./x11-forwarding.ts";

/** All rules, by what a reader should see first. */
export const RULES: readonly Rule[] = [
  tcpForwarding,
  beyondPolicy,
  lostForwarding,
  reopenedByMatch,
  disableForwardingReopened,
  streamLocalForwarding,
  gatewayPorts,
  openPermitOpen,
  openPermitListen,
  permitListenIgnoresSockets,
  tunnelDevice,
  x11Forwarding,
  agentForwarding,
  disableForwardingIncomplete,
  forcedCommandStillForwards,
  nologinStillForwards,
  shellMakesBanMoot,
  privilegedForward,
  privilegedPermitListen,
  privilegedDestination,
  privilegedPort,
  unprivilegedListenPort,
  shadowedDirective,
  duplicatePermitOpen,
  deadPermitOpen,
  unreachableMatch,
  neverMatchingPattern,
  neverMatchingLoginItem,
  missingInclude,
  dropInNotIncluded,
  optionOverridesFile,
  socketUnitOverridesPort,
  staleDaemon,
  authorizedKeysOptions,
  loosePermissions,
  includeInsideMatch,
  vanishedLine,
  lockout,
  notAllowedInMatch,
  deprecatedKeyword,
  keywordNewerThanSshd,
  syntax,
  policyEntry,
  suppression,
];

/** `exposure`: who may forward what, complete, with witnesses and the deciding lines. */
import { parsePatternList } from "../../grammar/patterns.ts";
import type { Criterion } from "../config/config.ts";
import type { Answer, Exposure } from "../policy/answer.ts";
import { CAPABILITIES, type Capability, type Connection } from "../policy/connection.ts";
import { type EffectiveSetting, evaluate, isAnswer } from "../policy/evaluate.ts";
import { exposure } from "../policy/exposure.ts";
import { locate } from "../policy/locate.ts";
import { loginOf } from "../policy/login.ts";
import { whyIncomplete, withRoutingDomain } from "../policy/specification.ts";
import {
  type ExposedTarget,
  type ExposureReport,
  exposureJson,
  exposureLines,
  exposureTable,
} from "../report/exposure.ts";
import { judgedTexts } from "../report/judged.ts";
import { visible } from "../report/text.ts";
import { makeSource } from "../source/source.ts";
import { askedConnection, assumedOf } from "./asked-connection.ts";
import { targetLimitsOf } from "./chosen-accounts.ts";
import { BY_ITSELF, readingsElsewhere } from "./other-readings.ts";
import {
  chosenFormat,
  chosenPaint,
  complain,
  complainOfLimits,
  type OutputOptions,
  refuse,
  tellJudged,
  writeAnswer,
} from "./output.ts";
import { latin1 } from "./paths.ts";
import { openPresent } from "./sources.ts";
import { judgedOf, type Target, type TargetOptions, whyRefused, worldOf } from "./target.ts";

export interface ExposureCommandOptions extends TargetOptions, OutputOptions {
  readonly capability?: readonly string[];
  readonly C?: readonly string[];
  readonly user?: readonly string[];
  readonly all?: boolean;
  readonly excludeNoLogin?: boolean;
}

export async function runExposure(
  files: readonly string[],
  options: ExposureCommandOptions,
): Promise<number> {
  const capabilities = chooseCapabilities(options.capability);
  if (typeof capabilities === "string") return refuse(capabilities);
  const opened = await openPresent(files, options);
  if ("misuse" in opened) return refuse(opened.misuse);
  const targets: ExposedTarget[] = [];
  for (const target of opened) {
    const error = "error" in target ? target.error : whyRefused(target);
    if (error !== null) complain(visible(error));
    if ("error" in target || error !== null) continue;
    const exposed = expose(target, capabilities, options);
    if (typeof exposed === "string") return refuse(visible(exposed));
    targets.push(exposed);
  }
  const report = { targets };
  complainOfLimits(
    targets.map(({ path, exposure: { limits } }) => ({ path, limits })),
    options,
  );
  const failed = writeAnswer(await render(report, options), options);
  if (failed !== null) return refuse(failed);
  if (chosenFormat(options) === "concise") tellJudged(judgedTexts(targets), options);
  if (targets.some((target) => !target.exposure.complete)) return 3;
  return targets.length < opened.length ? 2 : 0;
}

async function render(report: ExposureReport, options: OutputOptions): Promise<Iterable<string>> {
  switch (chosenFormat(options)) {
    case "json":
      return exposureJson(report);
    case "html":
      return (await import("../report/exposure-html.ts")).exposurePage(report);
    case "svg":
      return (await import("../report/exposure-svg.ts")).exposureSvg(report);
    case "concise":
      return exposureLines(report);
    default:
      return exposureTable(report, await chosenPaint(options));
  }
}

function chooseCapabilities(names: readonly string[] | undefined): readonly Capability[] | string {
  if (names === undefined) return CAPABILITIES;
  const unknown = names.find((name) => !CAPABILITIES.some((capability) => capability === name));
  if (unknown !== undefined) return `"${unknown}" is no capability: known are ${CAPABILITIES.join(", ")}`;
  return CAPABILITIES.filter((capability) => names.includes(capability));
}

/** Of those that were not asked about nothing is said. */
function nothingText({ capability = [], user = [], excludeNoLogin = false }: ExposureCommandOptions): string {
  const asked = [
    ...capability.map((name) => `--capability ${name}`),
    ...user.map((name) => `--user ${latin1(name)}`),
    ...(excludeNoLogin ? ["--exclude-no-login"] : []),
  ];
  return asked.length === 0
    ? "nobody can forward anything"
    : `nothing is open of what was asked for: ${asked.join(" ")}`;
}

function expose(
  target: Target,
  capabilities: readonly Capability[],
  options: ExposureCommandOptions,
): ExposedTarget | string {
  const found = knownOf(
    target,
    exposure(target.config, {
      capabilities,
      ...worldOf(target),
      answers: asksAboutClosed(target, options) ? "all" : "open",
      ...(options.user === undefined ? {} : { inside: [usersOf(options.user)] }),
    }),
  );
  const connections: Connection[] = [];
  for (const text of options.C ?? []) {
    const connection = askedConnection(target, text);
    if ("error" in connection) return connection.error;
    const incomplete = whyIncomplete(target.config, connection);
    if (incomplete !== null) return incomplete;
    connections.push(withRoutingDomain(connection, target.release));
  }
  return {
    path: target.name,
    ...judgedOf(target),
    exposure: withLimits(found, targetLimitsOf(target), [
      ...target.assumptions,
      ...readingsElsewhere(target),
    ]),
    answers: found.answers.filter((answer) => isShown(answer, options)),
    nothing: nothingText(options),
    connections: connections.map((connection) => ({
      connection,
      assumed: assumedOf(target, connection),
      login: loginAt(target, connection),
      answers: new Map(
        capabilities.map((capability) => [
          capability,
          locate(target.config, found.answers, capability, connection),
        ]),
      ),
    })),
  };
}

/** Of this one connection: nobody asks -C about others. */
function loginAt({ config, world }: Target, connection: Connection): Pick<Answer, "login" | "loginBecause"> {
  const { user, groups } = connection;
  const effective = evaluate(config, connection);
  if (!isAnswer(effective)) return { login: "impossible", loginBecause: effective.message };
  if (world !== null && !world.some(({ name }) => name === user))
    return { login: "impossible", loginBecause: `there is no account ${user}` };
  const { login, because } = loginOf(effective, connection, config);
  const lists = [...effective.values()].filter(
    ({ keyword, values }) => isGroupList(keyword) && values.length > 0,
  );
  if (groups !== null || lists.length === 0) return { login, loginBecause: because };
  const ungrouped = new Map([...effective].filter(([, { keyword }]) => !isGroupList(keyword)));
  return loginOf(ungrouped, connection, config).login === "impossible"
    ? { login, loginBecause: because }
    : {
        login: "unknown",
        loginBecause: `${lists.map(({ keyword }) => keyword.name).join(" and ")} is set, and no group= was given`,
      };
}

function isGroupList({ key }: EffectiveSetting["keyword"]): boolean {
  return key === "allowgroups" || key === "denygroups";
}

/** Names or patterns, as on a Match line. */
function usersOf(names: readonly string[]): Criterion {
  const text = latin1(names.join(","));
  const place = { source: makeSource("--user", text), start: 0, end: text.length };
  return { attribute: "user", place, text, items: parsePatternList(text) };
}

/** A fragment's closed regions may be unknown. */
function asksAboutClosed({ fragment }: Target, { all, C }: ExposureCommandOptions): boolean {
  return fragment || all === true || C !== undefined;
}

/** In a drop-in by itself a default decides nothing: the sshd_config that includes it may say otherwise. */
function knownOf({ fragment }: Target, found: Exposure): Exposure {
  if (!fragment) return found;
  const answers = found.answers.map((answer): Answer => {
    if (answer.decidedBy[0]?.directive !== null) return answer;
    return { ...answer, allowed: "unknown", unknownBecause: BY_ITSELF, witness: null };
  });
  return { ...found, answers, complete: false, limits: [...found.limits, BY_ITSELF] };
}

function withLimits(found: Exposure, limits: readonly string[], others: readonly string[]): Exposure {
  const complete = found.complete && limits.length === 0;
  const assumptions = [...found.assumptions, ...others];
  return { ...found, complete, limits: [...found.limits, ...limits], assumptions };
}

/** JSON always holds the closed regions that a connection was located in: -C shows all. */
function isShown({ allowed, login }: Answer, { all, excludeNoLogin, C }: ExposureCommandOptions): boolean {
  if (excludeNoLogin === true && login === "impossible") return false;
  return allowed !== false || all === true || C !== undefined;
}

/** `effective`: the value of every keyword for given connections, in the format of `sshd -T`. */
import type { Release } from "../../grammar/release.ts";
import { repairDoubts, requirements } from "../policy/capabilities.ts";
import { CAPABILITIES, type Capability, type Connection, NO_FIELDS } from "../policy/connection.ts";
import {
  type Effective,
  type EffectiveSetting,
  evaluate,
  isAnswer,
  refusedSpecification,
} from "../policy/evaluate.ts";
import { formatSpecification, whyIncomplete, withRoutingDomain } from "../policy/specification.ts";
import { connectionJson, jsonPieces, pathText } from "../report/json.ts";
import { judgedText } from "../report/judged.ts";
import { visible } from "../report/text.ts";
import { positionAt } from "../source/source.ts";
import { askedConnection, assumedOf } from "./asked-connection.ts";
import { BY_ITSELF } from "./other-readings.ts";
import { complain, type OutputOptions, refuse, tellJudged, tellLimits, writeAnswer } from "./output.ts";
import { openOne } from "./sources.ts";
import { judgedOf, type Target, type TargetOptions, whyRefused } from "./target.ts";

export interface EffectiveCommandOptions extends TargetOptions, OutputOptions {
  readonly C?: readonly string[];
  readonly why?: boolean;
  readonly asSshd?: boolean;
}

interface Answered {
  readonly connection: Connection;
  readonly effective: Effective;
}

export async function runEffective(
  file: string | undefined,
  options: EffectiveCommandOptions,
): Promise<number> {
  const target = await openOne(file, options);
  if (typeof target === "number") return target;
  const refused = whyRefused(target);
  if (refused !== null) return refuse(visible(refused));
  const answers: Answered[] = [];
  for (const connection of options.C?.map((text) => askedConnection(target, text)) ?? [NO_FIELDS]) {
    if ("error" in connection) return refuse(visible(connection.error));
    const effective = answer(target, connection, options);
    if (typeof effective === "string") return refuse(visible(effective));
    const assumed = options.asSshd === true ? null : assumedOf(target, connection);
    if (assumed !== null) complain(visible(`-C ${formatSpecification(connection)}: ${assumed}`));
    answers.push({ connection, effective: target.fragment ? writtenOf(effective) : effective });
  }
  const text = options.format === "json" ? asJson(answers, target) : asText(answers, options);
  const failed = writeAnswer(text, options);
  if (failed !== null) return refuse(failed);
  if (options.format !== "json") tellJudged([judgedText(judgedOf(target))], options);
  const limits = [
    ...target.config.limits,
    ...(target.fragment ? [BY_ITSELF] : []),
    ...(options.format === "json" ? doubtsOf(target, answers) : []),
  ];
  tellLimits([{ path: target.name, limits }]);
  return limits.length === 0 ? 0 : 3;
}

/** What is not known of capabilities that are told as open. */
function doubtsOf({ config, release }: Target, answers: readonly Answered[]): readonly string[] {
  return CAPABILITIES.filter((capability) =>
    answers.some(({ effective }) => isOpen(effective, capability, release)),
  ).flatMap((capability) => repairDoubts(config, capability).map(({ text }) => text));
}

/** A drop-in by itself says what its lines say; its sshd_config may set the rest. */
function writtenOf(effective: Effective): Effective {
  return new Map([...effective].filter(([, { decidedBy }]) => decidedBy.length > 0));
}

function answer(target: Target, given: Connection, options: EffectiveCommandOptions): Effective | string {
  const { config, release } = target;
  if (options.asSshd === true) {
    const refusal = refusedSpecification(release, given);
    if (refusal !== null) return refusal;
  } else {
    const incomplete = whyIncomplete(config, given);
    if (incomplete !== null) return `${incomplete}; --as-sshd treats missing fields as sshd -T does`;
  }
  const connection = options.asSshd === true ? given : withRoutingDomain(given, release);
  const found = evaluate(config, connection, { missing: options.asSshd === true ? "as-sshd" : "no-match" });
  return isAnswer(found) ? found : `sshd has no answer for this connection: ${found.message}`;
}

function asText(answers: readonly Answered[], options: EffectiveCommandOptions): string {
  return answers
    .map(({ connection, effective }) => {
      const head = answers.length > 1 ? `# ${visible(formatSpecification(connection))}\n` : "";
      const lines = [...effective.values()].flatMap((setting) => linesOf(setting, options.why === true));
      return head + lines.map((line) => `${visible(line)}\n`).join("");
    })
    .join("\n");
}

function linesOf(setting: EffectiveSetting, why: boolean): string[] {
  const { keyword, values } = setting;
  if (keyword.print === "never" || values.length === 0) return [];
  const reason = why ? `  # ${reasonText(setting)}` : "";
  if (keyword.print === "each") return values.map((value) => `${keyword.key} ${value}${reason}`);
  return [`${keyword.key} ${values.join(" ")}${reason}`];
}

function reasonText({ decidedBy }: EffectiveSetting): string {
  if (decidedBy.length === 0) return "default";
  return decidedBy
    .map(({ origin, place }) =>
      origin === "option" ? "-o" : `${place.source.path}:${positionAt(place.source, place.start).line}`,
    )
    .join(" ");
}

function asJson(answers: readonly Answered[], target: Target): Iterable<string> {
  const connections = answers.map(({ connection, effective }) => ({
    connection: connectionJson(connection),
    settings: Object.fromEntries(
      [...effective.values()].map((setting) => [setting.keyword.key, settingJson(setting)]),
    ),
    capabilities: Object.fromEntries(
      CAPABILITIES.map((capability) => [capability, isOpen(effective, capability, target.release)]),
    ),
  }));
  const { openssh, opensshSource } = judgedOf(target);
  return jsonPieces({ version: 1, path: pathText(target.name), openssh, opensshSource, connections });
}

/** What is not known (writtenOf) closes nothing. */
function isOpen(effective: Effective, capability: Capability, release: Release): boolean {
  return requirements(capability, release).every(({ keyword, closes }) => {
    const setting = effective.get(keyword);
    return setting === undefined || !closes(setting.values);
  });
}

/** `file` and `line` of the first line that gives the value; null for a default. */
function settingJson({ values, decidedBy }: EffectiveSetting): object {
  const place = decidedBy.find(({ origin }) => origin === "file")?.place;
  return {
    value: values.join(" "),
    values,
    file: place === undefined ? null : pathText(place.source.path),
    line: place === undefined ? null : positionAt(place.source, place.start).line,
  };
}

/**
 * Writes schemas/policy-file.json: the form of a policy file as JSON Schema 2020-12, for editors; the reader
 * (src/lint/policy-file.ts) checks more. With --check: fails where it is stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { RULES } from "../rules/index.ts";
import { PROFILES } from "../src/lint/intent.ts";
import type { KnownNames } from "../src/lint/policy-file.ts";
import { CAPABILITIES } from "../src/policy/connection.ts";

const SEVERITY = { enum: ["info", "low", "medium", "high", "error"] };
const TEXT = { type: "string", minLength: 1 };
const TEXTS = oneOrMore({ type: ["string", "integer"] });

function oneOrMore(item: object): object {
  return { anyOf: [item, { type: "array", minItems: 1, items: item }] };
}

function described(description: string, schema: object): object {
  return { description, ...schema };
}

/** Equal for `allow` and `keep`, but for the reason. */
function entries(required: readonly string[]): object {
  return {
    type: "array",
    items: {
      type: "object",
      additionalProperties: false,
      required: ["capability", ...required],
      properties: {
        users: described("user names, with * and ?; ! in front excepts one", TEXTS),
        groups: described("names of groups, as users", TEXTS),
        from: described("the client's addresses and networks", TEXTS),
        hosts: described("the client's host names; sshd knows them with UseDNS yes only", TEXTS),
        "server-address": described("the server's address that the client came to", TEXTS),
        "server-port": { type: ["integer", "string"] },
        capability: oneOrMore({ enum: [...CAPABILITIES, "all"] }),
        to: described("HOST:PORT for TCP, paths for sockets, any; left out: any", TEXTS),
        listen: described("PORT or HOST:PORT for tcp-remote, any; left out: any", TEXTS),
        bind: described("tcp-remote: whether ports may listen beyond loopback", {
          enum: ["loopback", "any"],
        }),
        reason: TEXT,
        owner: TEXT,
        until: described("the last day", { type: "string", pattern: "^\\d{4}-\\d{2}-\\d{2}$" }),
      },
    },
  };
}

function policySchema({ rules, profiles }: KnownNames): object {
  const setting = {
    anyOf: [
      SEVERITY,
      {
        type: "object",
        additionalProperties: false,
        required: ["severity"],
        properties: { severity: SEVERITY },
      },
      {
        type: "object",
        additionalProperties: false,
        required: ["off"],
        properties: { off: described("the reason for which the rule is switched off", TEXT) },
      },
    ],
  };
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "sshd-policy policy file",
    type: "object",
    additionalProperties: false,
    required: ["version"],
    properties: {
      version: { const: 1 },
      profile: { enum: profiles },
      "fail-on": SEVERITY,
      "allow-forwarding": { enum: ["none", "local", "remote"] },
      rules: {
        type: "object",
        additionalProperties: false,
        properties: Object.fromEntries(rules.map((rule) => [rule, setting])),
      },
      allow: described("what may be open; everything else is a finding", entries(["reason"])),
      keep: described("what must keep working", entries([])),
    },
  };
}

const path = new URL("../schemas/policy-file.json", import.meta.url);
const names = { rules: RULES.map(({ id }) => id), profiles: PROFILES };
const text = `${JSON.stringify(policySchema(names), null, 2)}\n`;
if (!process.argv.includes("--check")) writeFileSync(path, text);
else if (readFileSync(path, "utf8") !== text) {
  process.stderr.write("schemas/policy-file.json is stale: npm run generate\n");
  process.exitCode = 1;
}

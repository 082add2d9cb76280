import { Option } from "commander";
import { describe, expect, it } from "vitest";
import { delayOptions } from "../src/cli/named-options.ts";

/** The options that are made for these arguments. */
function made(...args: readonly string[]): readonly string[] {
  const { command, makeOptions } = delayOptions("test");
  command
    .option("-o <keyword=value>", "a setting")
    .option("--root <dir>", "a folder")
    .option("-q, --quiet", "less")
    .option("--config <file>", "a file")
    .option("--no-config", "none")
    .addOption(new Option("--color <when>", "colours").default("auto"));
  expect(command.options).toEqual([]);
  makeOptions(args);
  return command.options.map(({ flags }) => flags);
}

const ALWAYS = ["--config <file>", "--no-config", "--color <when>"];
const ALL = ["-o <keyword=value>", "--root <dir>", "-q, --quiet", ...ALWAYS];

describe("the options of a command that is named", () => {
  it("are those that the call names, those with a default and those that turn something off with their opposites", () => {
    expect(made("file", "-")).toEqual(ALWAYS);
    expect(made("--root", "/srv", "file")).toEqual(["--root <dir>", ...ALWAYS]);
    expect(made("--root=/srv", "-q")).toEqual(["--root <dir>", "-q, --quiet", ...ALWAYS]);
    expect(made("-o", "Port=1", "--quiet", "--color", "never")).toEqual([
      "-o <keyword=value>",
      "-q, --quiet",
      ...ALWAYS,
    ]);
  });

  it.each([["--help"], ["-oPort=1"], ["--rot"], ["--"], ["--root", "-x"]])(
    "are all where it has %s",
    (...args) => {
      expect(made("-q", ...args)).toEqual(ALL);
    },
  );

  it("are asked as usual", () => {
    const { command, makeOptions } = delayOptions("test");
    command.option("--root <dir>", "a folder").option("--no-restart", "leave it").argument("[file]");
    makeOptions(["--root", "/srv"]);
    command.parse(["--root", "/srv", "file"], { from: "user" });
    expect(command.opts()).toEqual({ root: "/srv", restart: true });
    expect(command.args).toEqual(["file"]);
  });
});

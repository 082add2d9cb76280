/** Connections that blocks are meant for are some that sshd can see, written as it writes them. */
import { describe, expect, it } from "vitest";
import { STRANGER, sampleConnections } from "../src/policy/samples.ts";
import { configOf } from "./configurations.ts";

describe("a connection that a block is meant for", () => {
  it.each([
    ["2001:db8::/32", "2001:db8::"],
    ["10.0.0.0/8,!10.0.0.0/16", "10.1.0.0"],
    ["!198.51.100.0/24,*", "0.0.0.0"],
    ["10.1.*", "10.1.0.0"],
    ["*", STRANGER.addr],
    // link-local peers have a zone, which no network holds
    ["fe80::/10", STRANGER.addr],
  ])("by Match Address %s is from %s", (list, addr) => {
    const [, , meant] = sampleConnections(configOf(`Match Address ${list}\n\tX11Forwarding no\n`));
    expect(meant?.addr).toBe(addr);
  });
});

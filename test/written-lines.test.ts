/** Where a fix writes a line and how: as its neighbours are written, where it wins, and no byte else. */
import { expect, test } from "vitest";
import { planChange } from "../src/config/change.ts";
import { applyEdits } from "../src/edit/edit.ts";
import { auditRoot, MAIN, makeRoot } from "./auditing.ts";

/** The text with `X11Forwarding no` for everybody. */
function closed(text: string): string {
  const { config } = auditRoot({ root: makeRoot({ [MAIN]: text }), rules: [] });
  const planned = planChange(config, { kind: "set-global", keyword: "x11forwarding", value: "no" });
  if (planned.kind === "impossible") throw new Error(planned.because);
  return applyEdits(text, planned.edits);
}

test.each([
  ["an empty file", "", "X11Forwarding no\n"],
  ["behind the last line", "Port 22\n# end\n", "Port 22\nX11Forwarding no\n# end\n"],
  ["behind the last comment where there is nothing else", "# end\n", "# end\nX11Forwarding no\n"],
  ["no line end at the end", "Port 22", "Port 22\nX11Forwarding no"],
  ["before a Match", "Match all\n  PermitTTY no\n", "X11Forwarding no\nMatch all\n  PermitTTY no\n"],
  ["before an Include", "Include /etc/x\nPort 22\n", "X11Forwarding no\nInclude /etc/x\nPort 22\n"],
  [
    "the indentation of lines outside a block, not of those inside",
    "\tPort 22\nMatch all\n    PermitTTY no\n",
    "\tPort 22\n\tX11Forwarding no\nMatch all\n    PermitTTY no\n",
  ],
  ["an equals sign", "Port=22\n", "Port=22\nX11Forwarding=no\n"],
  [
    "the separator of most lines",
    "Port\t22\nPermitTTY no\nLogLevel\tINFO\n",
    "Port\t22\nPermitTTY no\nLogLevel\tINFO\nX11Forwarding\tno\n",
  ],
  [
    "the separator of most lines, wherever they stand",
    "PermitTTY no\nPort\t22\nLogLevel\tINFO\n",
    "PermitTTY no\nPort\t22\nLogLevel\tINFO\nX11Forwarding\tno\n",
  ],
  [
    "ends of lines as most editors keep them",
    "Port 22\r\nPermitTTY no\n",
    "Port 22\r\nPermitTTY no\nX11Forwarding no\r\n",
  ],
  [
    "a return inside a line is no end of one",
    "Banner a\nPort 22 # \r b\n",
    "Banner a\nPort 22 # \r b\nX11Forwarding no\n",
  ],
  ["lower case", "port 22\n", "port 22\nx11forwarding no\n"],
  [
    "ends of lines as in DOS",
    "Port 22\r\nPermitTTY no\r\n",
    "Port 22\r\nPermitTTY no\r\nX11Forwarding no\r\n",
  ],
  ["a NUL that hides what follows", "Port 22\0", "X11Forwarding no\nPort 22\0"],
])("a new line: %s", (_, text, expected) => {
  expect(closed(text)).toBe(expected);
});

test.each([
  ["in its place", "#X11Forwarding yes\nPort 22\n", "X11Forwarding no\nPort 22\n"],
  ["with a blank", "# X11Forwarding yes\nPort 22\n", "X11Forwarding no\nPort 22\n"],
  ["as it is written", "#x11forwarding\t= yes \nPort 22\n", "x11forwarding\t= no \nPort 22\n"],
  ["the first", "#X11Forwarding no\n#X11Forwarding yes\n", "X11Forwarding no\n#X11Forwarding yes\n"],
  [
    "none of words",
    "# X11Forwarding is off here\nPort 22\n",
    "# X11Forwarding is off here\nPort 22\nX11Forwarding no\n",
  ],
  [
    "none of an example",
    "#Match User anoncvs\n#\tX11Forwarding no\nPort 22\n",
    "#Match User anoncvs\n#\tX11Forwarding no\nPort 22\nX11Forwarding no\n",
  ],
  [
    "none of an example, however far down",
    "#Match User anoncvs\n# words\n#X11Forwarding yes\n#X11Forwarding no\nPort 22\n#X11Forwarding yes\n",
    "#Match User anoncvs\n# words\n#X11Forwarding yes\n#X11Forwarding no\nPort 22\nX11Forwarding no\n",
  ],
  [
    "none that a NUL cuts",
    "Port 22\n#X11Forwarding yes\0\n",
    "Port 22\nX11Forwarding no\n#X11Forwarding yes\0\n",
  ],
  [
    "none behind a Match",
    "Port 22\nMatch all\n#X11Forwarding no\n",
    "Port 22\nX11Forwarding no\nMatch all\n#X11Forwarding no\n",
  ],
  ["none of a longer keyword", "#X11ForwardingX yes\n", "#X11ForwardingX yes\nX11Forwarding no\n"],
])("a commented line that is turned on: %s", (_, text, expected) => {
  expect(closed(text)).toBe(expected);
});

test.each([
  ["its value alone", "  x11forwarding =  yes # why\n", "  x11forwarding =  no # why\n"],
  ["in its quotes", 'X11Forwarding "yes"\n', 'X11Forwarding "no"\n'],
  ["the first, which wins", "X11Forwarding yes\nX11Forwarding no\n", "X11Forwarding no\nX11Forwarding no\n"],
  [
    "not inside a block",
    "X11Forwarding yes\nMatch all\nX11Forwarding yes\n",
    "X11Forwarding no\nMatch all\nX11Forwarding yes\n",
  ],
  ["nothing where it is so already", 'X11Forwarding "no"\n', 'X11Forwarding "no"\n'],
])("a line that is there: %s", (_, text, expected) => {
  expect(closed(text)).toBe(expected);
});

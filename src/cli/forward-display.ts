/** What people and programs see of running forwards: a live view on a terminal, lines elsewhere, JSON lines on request. */
import type { Leg } from "../forward/legs.ts";
import type { HostSettings } from "../forward/settings.ts";
import type { Forward } from "../forward/specification.ts";
import type { Counts, ForwardEvent, Traffic } from "../forward/traffic.ts";
import { visibleText } from "../report/text.ts";
import { type EventLog, printText, stamped, untilItFails } from "./event-log.ts";
import { isTerminal } from "./standard-output.ts";

export interface ForwardDisplay {
  readonly tell: (event: ForwardEvent) => void;
  /** starts the live view, where there is one */
  readonly show: (traffic: Traffic) => void;
  readonly close: () => void;
}

export interface DisplayOptions {
  /** takes the events as JSON lines */
  readonly log: EventLog | null;
  readonly people: "see it" | "see nothing";
  /** of each forward */
  readonly legs: readonly (readonly Leg[])[];
}

export function openDisplay(
  forwards: readonly Forward[],
  route: readonly HostSettings[],
  { log: events, people, legs }: DisplayOptions,
): ForwardDisplay {
  const log = events === null ? null : gather(events);
  const record = log === null ? null : stamped(log.write);
  const forPeople = people === "see it";
  const live = forPeople && isTerminal() && process.env["TERM"] !== "dumb";
  const totals = makeTotals(forwards.length);
  const view = live ? liveView(forwards, route, totals.of) : null;
  const text = gather(print);
  const textOf = describe(forwards, { legs, only: live ? "the start" : "everything" });
  return {
    tell: (event) => {
      record?.(event);
      totals.count(event);
      const line = forPeople ? textOf(event) : "";
      if (view === null) text.write(line);
      else if (line !== "") view.above(line);
    },
    show: (traffic) => view?.start(traffic),
    close: () => {
      log?.flush();
      text.flush();
      view?.stop();
    },
  };
}

const print = untilItFails("standard output", printText);

/** How late a line may be. */
const GATHER_MS = 20;

/** Lines of many connections leave together: written one by one, they cost a tenth of all work, and wake their reader. */
function gather(write: (text: string) => void): {
  readonly write: (text: string) => void;
  readonly flush: () => void;
} {
  let held = "";
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const text = held;
    held = "";
    if (text !== "") write(text);
  };
  return {
    flush,
    write: (text) => {
      if (text === "") return;
      held += text;
      timer ??= setTimeout(flush, GATHER_MS);
    },
  };
}

/** -L 127.0.0.1:1100 -> mail.example.com:110, or what it is */
function nameOf({ side, listen, target }: Forward): string {
  const letter = side === "remote" ? "-R" : target.kind === "socks" ? "-D" : "-L";
  const bind = listen.kind === "socket" ? listen.path : placeOf(listen.host, listen.port);
  const to =
    target.kind === "socks"
      ? "SOCKS"
      : target.kind === "socket"
        ? target.path
        : placeOf(target.host, target.port);
  return visibleText(`${letter} ${bind} -> ${to}`);
}

function placeOf(host: string | null, port: number): string {
  if (host === null) return String(port);
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What to print of an event: lines, or "". */
function describe(
  forwards: readonly Forward[],
  { legs, only }: { legs: readonly (readonly Leg[])[]; only: "the start" | "everything" },
): (event: ForwardEvent) => string {
  const names = forwards.map(nameOf);
  const name = (index: number): string => names[index] ?? "";
  return (event) => {
    switch (event.event) {
      case "connected":
        return `${visibleText(`connected to ${event.host} as ${event.user} (${event.version})`)}\n`;
      case "listening": {
        const where = event.side === "local" ? "this machine listens on" : "the server listens on";
        const explained = (legs[event.forward] ?? []).map(
          ({ protection, text }) => `    ${protection.padEnd(9)}  ${visibleText(text)}\n`,
        );
        return `${name(event.forward)}: ${where} ${visibleText(event.on)}${whoDecides(forwards[event.forward])}\n${explained.join("")}`;
      }
      case "failed":
        return `${name(event.forward)}: failed: ${visibleText(event.because)}\n`;
      case "refused":
        return `${name(event.forward)}: ${visibleText(`${event.from} to ${event.to}`)} refused: ${visibleText(event.because)}\n`;
      case "disconnected":
        // a loss is an error, for which there is another stream
        return event.because === null ? "closed\n" : "";
      case "open":
        if (only === "the start") return "";
        return `${name(event.forward)}: #${event.id} open, ${visibleText(`${event.from} to ${event.to}`)}\n`;
      case "closed":
        if (only === "the start") return "";
        return `${name(event.forward)}: #${event.id} closed, ${showCounts(event)}\n`;
    }
  };
}

/** The answer to a request does not say which addresses it has become. */
function whoDecides(forward: Forward | undefined): string {
  return forward?.side === "remote" && forward.listen.kind === "tcp"
    ? ", unless its GatewayPorts has other addresses"
    : "";
}

function showCounts({ sent, received }: Counts): string {
  return `${showBytes(sent)} sent, ${showBytes(received)} received`;
}

const UNITS = ["B", "KB", "MB", "GB", "TB"] as const;

/** 3 digits and a unit: `512 B`, `1.4 MB` */
function showBytes(count: number): string {
  const power = count < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${power > 0 && value < 100 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}

interface Total extends Counts {
  readonly opened: number;
  readonly refused: number;
}

/** Sums over the connections that are through. */
function makeTotals(count: number): {
  readonly count: (event: ForwardEvent) => void;
  readonly of: (index: number) => Total;
} {
  const none: Total = { opened: 0, refused: 0, sent: 0, received: 0 };
  const totals = Array<Total>(count).fill(none);
  return {
    of: (index) => totals[index] ?? none,
    count: (event) => {
      if (event.event !== "open" && event.event !== "refused" && event.event !== "closed") return;
      const before = totals[event.forward] ?? none;
      totals[event.forward] =
        event.event === "closed"
          ? { ...before, sent: before.sent + event.sent, received: before.received + event.received }
          : {
              ...before,
              [event.event === "open" ? "opened" : "refused"]:
                before[event.event === "open" ? "opened" : "refused"] + 1,
            };
    },
  };
}

interface LiveView {
  readonly start: (traffic: Traffic) => void;
  /** prints lines where the view stood, which goes below them */
  readonly above: (text: string) => void;
  readonly stop: () => void;
}

const REFRESH_MS = 500;

/** Some lines at the bottom of what has been printed, written over again and again. */
function liveView(
  forwards: readonly Forward[],
  route: readonly HostSettings[],
  totalOf: (index: number) => Total,
): LiveView {
  let timer: NodeJS.Timeout | undefined;
  let shown = 0;
  let draw = (): void => {};
  const clear = (): void => {
    // to the first column, where a ^C has moved the cursor; up, and erase to the end of the screen (ECMA-48, CUU and ED)
    if (shown > 0) print(`\r\u001b[${shown}A\u001b[J`);
    shown = 0;
  };
  const started = Date.now();
  return {
    above: (text) => {
      clear();
      print(text);
      draw();
    },
    start: (traffic) => {
      draw = () => {
        const rows = viewLines(forwards, {
          traffic,
          totalOf,
          route,
          seconds: Math.floor((Date.now() - started) / 1000),
        });
        const { columns, height } = screenSize();
        const fitting = rows.slice(0, Math.max(1, height - 1)).map((row) => row.slice(0, columns - 1));
        clear();
        print(fitting.map((row) => `${row}\n`).join(""));
        shown = fitting.length;
      };
      timer = setInterval(draw, REFRESH_MS);
    },
    stop: () => {
      clearInterval(timer);
      draw();
      shown = 0;
    },
  };
}

/** A terminal without a window (a serial line, script(1) without one) says that it is 0 wide. */
function screenSize(): { readonly columns: number; readonly height: number } {
  const { columns, rows } = process.stdout;
  return { columns: columns || 80, height: rows || 24 };
}

function viewLines(
  forwards: readonly Forward[],
  of: {
    traffic: Traffic;
    totalOf: (index: number) => Total;
    route: readonly HostSettings[];
    seconds: number;
  },
): readonly string[] {
  const open = [...of.traffic.open].map((connection) => ({ ...connection, now: connection.counts() }));
  const through = of.route.map(({ alias }) => visibleText(alias)).join(" > ");
  const clock = `${Math.floor(of.seconds / 60)}:${String(of.seconds % 60).padStart(2, "0")}`;
  const rows = forwards.flatMap((forward, index) => {
    const ours = open.filter((connection) => connection.forward === index);
    const total = of.totalOf(index);
    const sent = ours.reduce((sum, { now }) => sum + now.sent, total.sent);
    const received = ours.reduce((sum, { now }) => sum + now.received, total.received);
    const refused = total.refused === 0 ? "" : `, ${total.refused} refused`;
    return [
      `${nameOf(forward)}   ${ours.length} open of ${total.opened}${refused}   ${showCounts({ sent, received })}`,
      ...ours.map(
        ({ id, from, to, now }) => `    #${id} ${visibleText(`${from} to ${to}`)}   ${showCounts(now)}`,
      ),
    ];
  });
  return [`${through}   up ${clock}   Ctrl-C ends`, ...rows];
}

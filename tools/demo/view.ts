// The demo's picture in the terminal: redrawn in place on a terminal, a line now and then
// elsewhere.

import { printableLine } from "../printable.js";
import { table } from "../terminal/output.js";

export interface Picture {
  readonly elapsed_s: number;
  readonly meters: readonly { readonly name: string; readonly state: string }[];
  /** `pid` is undefined while it is down */
  readonly nodes: readonly { readonly name: string; readonly pid: number | undefined; readonly restarts: number }[];
  readonly chains: readonly ChainRow[];
  /** of the records, those that participants have signed */
  readonly operations: number;
  readonly published: number;
  readonly verified: number;
  readonly open: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** what was told of the community so far, the newest last */
  readonly told?: readonly string[];
}

export interface ChainRow {
  readonly service: number;
  readonly name: string;
  readonly height: number;
  readonly records: number;
  readonly violations: number;
}

/** Lines of what is told that the picture has room for. */
const TOLD_LINES = 12;

/** How large a terminal is. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Lines that show everything in so many columns; of what is told the newest, as many as there are rows for below it. */
export function drawPicture(picture: Picture, { columns, rows }: Size): string[] {
  const chains = picture.chains.map(({ name, height, records, violations }) => [name, height, records, violations]);
  const lines = [
    ...wrap(`gridseal demo  ${picture.elapsed_s} s   `, summary(picture).split(/(?<=[,;] )/), columns),
    "",
    ...table(["CHAIN", "HEIGHT", "RECORDS", "VIOLATIONS"], chains, columns),
    "",
    ...wrap(
      "nodes   ",
      picture.nodes.map((node) => `${nodeText(node)}   `),
      columns,
    ),
    ...wrap(
      "meters  ",
      picture.meters.map(({ name, state }) => `${name}: ${state}   `),
      columns,
    ),
  ];
  // An empty line before it, and the cursor's row behind it: a picture that scrolled would not be drawn over.
  const room = Math.min(TOLD_LINES, rows - lines.length - 2);
  if (picture.told !== undefined && room > 0) lines.push("", ...picture.told.slice(-room));
  return lines.slice(0, rows - 1).map((line) => line.trimEnd().slice(0, columns - 1));
}

/** The pieces behind the title, as many in a line as there is room for. */
function wrap(title: string, pieces: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  let line = title;
  for (const piece of pieces) {
    if (line.length > title.length && (line + piece).trimEnd().length >= columns) {
      lines.push(line);
      line = " ".repeat(title.length);
    }
    line += piece;
  }
  return [...lines, line];
}

/** One line for a log. */
export function summary(picture: Picture): string {
  const { operations, published, verified, open, p50_ms, p99_ms } = picture;
  return `records published ${published}, ${operations} of them operations, sealed and verified ${verified}, under way ${open}; publish to receipt p50 ${p50_ms} ms, p99 ${p99_ms} ms`;
}

export interface Screen {
  show(picture: Picture): void;
  /** What the community does; the next picture has it, and a log at once. */
  tell(lines: readonly string[]): void;
  /** Leaves the last picture standing. */
  end(): void;
}

/** Between two lines where the output is no terminal. */
const LINE_INTERVAL_S = 5;

export function createScreen(output: NodeJS.WriteStream): Screen {
  let drawn = 0;
  let next_s = 0;
  let told: readonly string[] = [];
  // A terminal that moves no cursor gets what a log gets.
  const isDrawn = output.isTTY && process.env.TERM !== "dumb";
  return {
    tell(lines) {
      told = [...told, ...lines].slice(-TOLD_LINES);
      if (!isDrawn) output.write(lines.map((line) => `${printableLine(line)}\n`).join(""));
    },
    show(picture) {
      if (isDrawn) {
        const lines = drawPicture({ ...picture, told }, sizeOf(output));
        // Up to the first line of the last picture, and clear to the end of the screen (ECMA-48:
        // CUU, ED).
        output.write(`${drawn > 0 ? `\x1b[${drawn}A` : ""}\x1b[J${lines.map(printableLine).join("\n")}\n`);
        drawn = lines.length;
      } else if (picture.elapsed_s >= next_s) {
        next_s = picture.elapsed_s + LINE_INTERVAL_S;
        const heights = picture.chains.map(({ name, height }) => `${name} ${height}`).join(", ");
        output.write(`${picture.elapsed_s} s: ${summary(picture)}; heights: ${heights}\n`);
      }
    },
    end() {
      drawn = 0;
    },
  };
}

/** A terminal that does not know its rows has as many as are drawn. */
function sizeOf({ columns, rows }: NodeJS.WriteStream): Size {
  return { columns, rows: rows > 0 ? rows : Number.POSITIVE_INFINITY };
}

function nodeText({ name, pid, restarts }: Picture["nodes"][number]): string {
  return `${name}: ${pid === undefined ? "down" : `pid ${pid}`}${restarts > 0 ? ` (restarted ${restarts}×)` : ""}`;
}

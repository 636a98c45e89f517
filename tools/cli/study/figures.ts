// A study's figures for people: single ones by their names, lists a row a line.

import type { Value } from "../../../src/wire/value.js";
import { pairs, toJson } from "../../terminal/output.js";

/** Lines of a list that are shown; the result's file has all. */
const SHOWN_MAX = 24;
const COLUMNS = 80;

export function figureLines(figures: { readonly [name: string]: Value }): string[] {
  const all = Object.entries(figures);
  const single = all.filter(([, value]) => !Array.isArray(value));
  const lists = all.filter((entry): entry is [string, readonly Value[]] => Array.isArray(entry[1]));
  return [
    ...pairs(single.map(([name, value]) => [name, textOf(value)])),
    ...lists.flatMap(([name, rows]) => [
      "",
      `${name}:`,
      ...rows.slice(0, SHOWN_MAX).flatMap((row) => wrapped(textOf(row))),
      ...(rows.length > SHOWN_MAX ? [`  and ${rows.length - SHOWN_MAX} more, which -o FILE has`] : []),
    ]),
  ];
}

/** A row in lines of a terminal's width; those behind the first stand further in. */
function wrapped(row: string): string[] {
  const lines: string[] = [];
  let line = " ";
  for (const word of row.split("  ")) {
    if (line.length + 2 + word.length > COLUMNS) {
      lines.push(line);
      line = "   ";
    }
    line += ` ${word} `;
  }
  return [...lines, line].map((each) => each.trimEnd());
}

function textOf(value: Value): string {
  if (Array.isArray(value)) return (value as readonly Value[]).map(textOf).join("  ");
  return typeof value === "string" ? value : value === null ? "-" : toJson(value);
}

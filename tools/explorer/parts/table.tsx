// A table that says what it is: a caption for who does not see it, heads, and on narrow screens rows one below the other.

import type { ComponentChildren } from "preact";
import { type TextKey, text } from "../texts.js";

interface TableProps {
  readonly caption: string;
  readonly heads: readonly TextKey[];
  /** rows */
  readonly children: ComponentChildren;
}

/** Nothing where there are no rows. */
export function Table({ caption, heads, children }: TableProps) {
  if (Array.isArray(children) && children.length === 0) return null;
  return (
    <div class="scroll">
      <table>
        <caption class="spoken">{caption}</caption>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {text(head)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

// What a reader must not overlook: said at once to who does not see it.

import type { ComponentChildren } from "preact";
import { Mark } from "./mark.js";

/** `isWrong`: a check of this page has found it. */
export function Alert({
  isWrong = false,
  children,
}: {
  readonly isWrong?: boolean;
  readonly children: ComponentChildren;
}) {
  return (
    <p class="alert" role="alert">
      {isWrong && <Mark state="wrong" />} {children}
    </p>
  );
}

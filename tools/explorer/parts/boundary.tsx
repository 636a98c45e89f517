// What throws while it is drawn takes its page, and not the frame around it.

import { Component, type ComponentChildren } from "preact";
import { reasonOf } from "../../errors.js";
import type { Place } from "../route.js";
import { text } from "../texts.js";
import { Alert } from "./alert.js";

interface BoundaryProps {
  readonly place: Place;
  readonly children: ComponentChildren;
}

interface BoundaryState {
  /** what was thrown, and where the reader was */
  readonly failed?: { readonly error: unknown; readonly place: Place };
}

/** Says what happened until the reader goes elsewhere. */
export class Boundary extends Component<BoundaryProps, BoundaryState> {
  override componentDidCatch(error: unknown): void {
    this.setState({ failed: { error, place: this.props.place } });
  }

  override render({ place, children }: BoundaryProps, { failed }: BoundaryState) {
    if (failed?.place !== place) return <>{children}</>;
    return (
      <>
        <Alert>{text("app.failed", { reason: reasonOf(failed.error) })}</Alert>
        <button type="button" onClick={() => history.back()}>
          {text("app.back")}
        </button>
      </>
    );
  }
}

// What every page is handed.

import type { ComponentType } from "preact";
import type { LiveState } from "../live/strips.js";
import type { Network } from "../network/network.js";
import type { Place } from "../route.js";

export interface PageProps {
  readonly network: Network;
  readonly place: Place;
  readonly live: LiveState;
}

export type Page = ComponentType<PageProps>;

// Every page but the first ones: each is loaded when somebody goes there, so that the first page stays small.

import type { ComponentType } from "preact";
import { Shown, useAsked } from "../parts/asked.js";
import { text } from "../texts.js";
import type { PageProps } from "./page-props.js";

type Page = ComponentType<PageProps>;

const loaders: Readonly<Record<string, () => Promise<Page>>> = {
  meters: async () => (await import("./meters.js")).MetersPage,
  violations: async () => (await import("./violations.js")).ViolationsPage,
  contracts: async () => (await import("./contracts.js")).ContractsPage,
  state: async () => (await import("./state.js")).StatePage,
  energy: async () => (await import("./energy.js")).EnergyPage,
  bills: async () => (await import("./bills.js")).BillsPage,
  orders: async () => (await import("./orders.js")).OrdersPage,
  health: async () => (await import("./health.js")).HealthPage,
  sign: async () => (await import("./sign.js")).SignPage,
  flash: async () => (await import("./flash.js")).FlashPage,
  search: async () => (await import("./search.js")).SearchPage,
};

/** In the order of the menu. */
export const menu = [
  "chains",
  "meters",
  "violations",
  "energy",
  "bills",
  "contracts",
  "state",
  "orders",
  "health",
  "receipt",
  "sign",
  "flash",
] as const;

export function LoadedPage(props: PageProps) {
  const load = loaders[props.place.page];
  const asked = useAsked(async () => load?.(), [load]);
  if (load === undefined) return <p>{text("page.unknown")}</p>;
  return <Shown asked={asked}>{(Page) => Page !== undefined && <Page {...props} />}</Shown>;
}
